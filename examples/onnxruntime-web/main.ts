// Features by a model of ONNX Runtime, and a head of nonlin that is trained on them: one device, and no copy between the two.
import {
  argmax,
  crossEntropy,
  init,
  manualSeed,
  nn,
  noGrad,
  optim,
  scope,
  Tensor,
  tensor,
} from 'nonlin';
import * as ort from 'onnxruntime-web/webgpu';

const MODEL = 'features.onnx'; // x of [rows, 2] to features of [rows, 32]

/** ONNX Runtime on the device of nonlin. */
async function give() {
  const device = await init({ backend: 'webgpu' });
  const session = await ort.InferenceSession.create(MODEL, {
    executionProviders: [{ name: 'webgpu', device: device.gpuDevice as GPUDevice }],
    preferredOutputLocation: 'gpu-buffer', // results stay where they are
  });
  return { device, session };
}

/** Or nonlin on the device of ONNX Runtime's own, which is there from the first session on. */
async function take() {
  const session = await ort.InferenceSession.create(MODEL, {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });
  const device = await init({ device: await ort.env.webgpu.device });
  return { device, session };
}

const toOrt = (x: Tensor) =>
  ort.Tensor.fromGpuBuffer(x.buffer().buffer, { dataType: 'float32', dims: x.shape });
const fromOrt = (x: ort.Tensor) => Tensor.fromBuffer(x.gpuBuffer as GPUBuffer, { shape: x.dims });

const { device, session } = await (location.search === '?take' ? take() : give());
const points = Array.from({ length: 64 }, (_, i) => [
  (i % 8) / 4 - 0.9,
  Math.floor(i / 8) / 4 - 0.9,
]);
const labels = points.map(([x = 0, y = 0]) => (x * y > 0 ? 1 : 0));
const x = tensor(points);
const { features } = (await session.run({ x: toOrt(x) })) as { features: ort.Tensor };
const inputs = fromOrt(features);

manualSeed(1);
const head = new nn.Linear(32, 2);
const optimizer = new optim.Adam(head.parameters(), { lr: 0.1 });
const target = tensor(labels, { dtype: 'int32' });
for (let step = 0; step < 200; step++) {
  scope(() => {
    optimizer.zeroGrad();
    crossEntropy(head.forward(inputs), target).backward();
    optimizer.step();
  });
}
const guesses = await noGrad(() => argmax(head.forward(inputs), { dim: 1 })).array({ rank: 1 });
const [first = []] = await inputs.array({ rank: 2 });
features.dispose(); // ONNX Runtime's memory: nonlin borrows it

const right = guesses.filter((guess, i) => guess === labels[i]).length;
const output = document.querySelector('output');
if (output) output.value = `done on ${device.type}: ${right} of 64 right; ${first.join(' ')}`;
