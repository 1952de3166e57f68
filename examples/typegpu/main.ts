// Buffers of TypeGPU through a network of nonlin, on one device and without a copy.
import { init, linear, silu, Tensor, tensor } from 'nonlin';
import tgpu, { d } from 'typegpu';

/** TypeGPU on the device of nonlin. */
async function give() {
  const device = await init({ backend: 'webgpu' });
  return { device, root: tgpu.initFromDevice({ device: device.gpuDevice as GPUDevice }) };
}

/** Or nonlin on the device of TypeGPU. */
async function take() {
  const root = await tgpu.init();
  return { device: await init({ device: root.device }), root };
}

const { device, root } = await (location.search === '?take' ? take() : give());

// a typed buffer of TypeGPU is a tensor
const points = root
  .createBuffer(d.arrayOf(d.vec2f, 4), [
    d.vec2f(0, 1),
    d.vec2f(1, 0),
    d.vec2f(-1, 2),
    d.vec2f(3, -2),
  ])
  .$usage('storage');
const x = Tensor.fromBuffer(root.unwrap(points), { shape: [4, 2] });
const weight = tensor([
  [1, 0.5],
  [-0.5, 1],
  [0.25, 0.25],
  [2, -1],
]);
const y = linear(x, weight, { activation: silu });

// and a tensor is a typed buffer of TypeGPU; keep y as long as it is used
const colours = root.createBuffer(d.arrayOf(d.vec4f, 4), y.buffer().buffer).$usage('storage');
const values = await colours.read();

const output = document.querySelector('output');
if (output) {
  const numbers = values.map(({ x, y, z, w }) => [x, y, z, w].join(' ')).join(' ');
  output.value = `done on ${device.type}: ${numbers}`;
}
