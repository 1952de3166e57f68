// Calls an op of a library once, for those who watch what it asks of WebGPU from outside (scripts/isa/peers.ts).
import { inputsOf } from './cases.ts';
import { libraryOf } from './libraries/index.ts';
import { modelOf } from './libraries/onnx-model.ts';
import type { GpuLibraryName, OpName, Shape } from './types.ts';

/** Calls an op; `ready` is told when all that comes is the call's own. False where the library has no such op. */
export async function launch(
  name: GpuLibraryName,
  op: OpName,
  shape: Shape,
  ready: () => void,
): Promise<boolean> {
  const library = await libraryOf(name);
  const runner = await library.prepare(op, inputsOf(op, shape));
  if (!runner) return false;
  await runner.sync();
  ready();
  await runner.run(1);
  await runner.sync();
  runner.free();
  return true;
}

/** Multiplies matrices of n × n. */
export async function multiply(
  name: GpuLibraryName,
  n: number,
  ready: () => void,
): Promise<boolean> {
  const product = PRODUCTS[name];
  if (!product) return false;
  await libraryOf(name);
  await product(n, new Float32Array(n * n).fill(1), ready);
  return true;
}

type Product = (n: number, data: Float32Array<ArrayBuffer>, ready: () => void) => Promise<void>;

const PRODUCTS: Partial<Record<GpuLibraryName, Product>> = {
  nonlin: async (n, data, ready) => {
    const { matmul, tensor } = await import('../../src/index.ts');
    const [a, b] = [tensor(data, { shape: [n, n] }), tensor(data, { shape: [n, n] })];
    ready();
    await matmul(a, b).data();
  },
  tfjs: async (n, data, ready) => {
    const tf = await import('@tensorflow/tfjs-core');
    const [a, b] = [tf.tensor(data, [n, n]), tf.tensor(data, [n, n])];
    ready();
    await tf.matMul(a, b).data();
  },
  ort: async (n, data, ready) => {
    const ort = await import('onnxruntime-web/webgpu');
    const value = (name: string) => ({ name, type: 'float32', shape: [n, n] }) as const;
    const model = modelOf({
      nodes: [{ op: 'MatMul', inputs: ['a', 'b'], output: 'z' }],
      inputs: [value('a'), value('b')],
      output: value('z'),
    });
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['webgpu'],
      preferredOutputLocation: 'gpu-buffer',
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    });
    const { queue } = await ort.env.webgpu.device;
    const matrix = () => new ort.Tensor('float32', data, [n, n]);
    ready();
    await session.run({ a: matrix(), b: matrix() });
    await queue.onSubmittedWorkDone();
  },
  jax: async (n, data, ready) => {
    const { jit, numpy } = await import('@jax-js/jax');
    const [a, b] = [numpy.array(data).reshape([n, n]), numpy.array(data).reshape([n, n])];
    const product = jit(numpy.matmul);
    ready();
    await product(a, b).data();
  },
};
