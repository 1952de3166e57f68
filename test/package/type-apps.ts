// Apps in TypeScript, as strict as they come, that tests give to compilers of several versions.

/** A strict app's tsconfig.json, with other options over it. */
export const config = (options: object) =>
  JSON.stringify({
    compilerOptions: {
      target: 'ES2022',
      // no ESNext.Disposable
      lib: ['ES2022', 'DOM'],
      module: 'ESNext',
      moduleResolution: 'bundler',
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      // the package's declarations are what is checked here
      skipLibCheck: false,
      noEmit: true,
      ...options,
    },
    include: ['src'],
  });

/** An app that needs nothing of WebGPU. */
export const MAIN = `
import { init, relu, safetensors, tensor, type GpuDevice, type Tensor } from 'nonlin';
import { Linear, Module, Sequential } from 'nonlin/nn';
import { Adam, lrScheduler } from 'nonlin/optim';

const device = await init({ backend: 'cpu' });
const y: Tensor = relu(tensor([-1, 2]));
const data: Float32Array | Int32Array = await y.data();
const file: Uint8Array = await safetensors.save({ y });
const model = new Sequential(new Linear(2, 3));
const optimizer = new Adam(model.parameters(), { lr: 0.1 });
const scheduler = new lrScheduler.StepLR(optimizer, 1);
const gpu: GpuDevice | null = device.gpuDevice;
class Twice extends Module {
  override forward(x: Tensor): Tensor {
    return relu(relu(x));
  }
}
// @ts-expect-error a string is no tensor
relu('x');
// @ts-expect-error an unknown option
new Adam(model.parameters(), { rate: 0.1 });
export { data, file, gpu, scheduler, Twice };
`;

/** One that hands a GPUDevice in and out. */
export const WEBGPU = `
import { init, Tensor } from 'nonlin';

export async function run(own: GPUDevice, buffer: GPUBuffer, encoder: GPUCommandEncoder) {
  const device = await init({ device: own, gpu: navigator.gpu });
  const same: GPUDevice | null = device.gpuDevice;
  const back: GPUBuffer = Tensor.fromBuffer(buffer, { shape: [1] }).buffer().buffer;
  device.record(encoder, () => back);
  // @ts-expect-error a buffer is no device
  await init({ device: buffer });
  return same;
}
`;
