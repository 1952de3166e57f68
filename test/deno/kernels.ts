// Kernels without golden vectors, with whole numbers, so that every order of summation gives the CPU path's results.
import {
  dropout,
  init,
  linear,
  manualSeed,
  matmul,
  relu,
  sum,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { ensureEqual, type Check } from '../check.ts';

/** Whole numbers from -4 to 4. */
function whole(device: Device, shape: readonly number[]): Tensor {
  const size = shape.reduce((n, extent) => n * extent, 1);
  const values = Float32Array.from({ length: size }, (_, i) => ((i * 7 + 3 * (i >> 4)) % 9) - 4);
  return tensor(values, { shape, device, requiresGrad: true });
}

/** Result and gradients of `fn` over tensors of the given shapes. */
async function results(
  device: Device,
  shapes: readonly string[],
  fn: (...inputs: [Tensor, Tensor, Tensor]) => Tensor,
): Promise<number[][]> {
  const inputs = shapes.map((shape) => whole(device, shape.split(' ').map(Number)));
  const out = fn(...(inputs as [Tensor, Tensor, Tensor]));
  out.backward(whole(device, out.shape).detach());
  const read = [out, ...inputs.map(({ grad }) => grad)].map(
    async (one) => (await one?.data()) ?? [],
  );
  return (await Promise.all(read)).map((values) => [...values]);
}

function sameAsCpu(
  name: string,
  shapes: readonly string[],
  fn: (...inputs: [Tensor, Tensor, Tensor]) => Tensor,
): Check<Device> {
  return {
    name,
    run: async (device) => {
      const cpu = await init({ backend: 'cpu' });
      ensureEqual(await results(device, shapes, fn), await results(cpu, shapes, fn), name);
    },
  };
}

const linearRelu = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
  linear(x, weight, { bias, activation: relu });

export const kernelChecks: readonly Check<Device>[] = [
  sameAsCpu('matmul of [33, 70] and [70, 37]', ['33 70', '70 37'], (a, b) => matmul(a, b)),
  sameAsCpu('matmul of batches', ['2 1 8 12', '3 12 20'], (a, b) => matmul(a, b)),
  sameAsCpu('linear with bias and activation', ['5 70', '34 70', '34'], linearRelu),
  sameAsCpu('sum of a long row', ['20001'], (x) => sum(x)),
  sameAsCpu('sums along columns', ['3000 5'], (x) => sum(x, { dim: 0 })),
  sameAsCpu('dropout, whose random numbers are the same', ['1003'], (x) => {
    manualSeed(7);
    return dropout(x, { p: 0.5 });
  }),
];
