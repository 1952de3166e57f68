// Tensors of several windows in each direction, on both plans: the GPU against the CPU, forward and backward.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as nonlin from '../../src/index.ts';
import { init, tensor, type Device, type Tensor } from '../../src/index.ts';
import { requestHardwareLike, requestLimitedDevice } from '../gpu/gpu-device.ts';

let cpu: Device;
let gpus: Record<string, Device>;
beforeAll(async () => {
  cpu = await init({ backend: 'cpu' });
  const limits = { maxStorageBufferBindingSize: 16_384 };
  gpus = {
    'as it is': await init({ device: await requestLimitedDevice(limits) }),
    'as hardware': await init({
      device: await requestLimitedDevice(limits, await requestHardwareLike()),
    }),
  };
});
afterAll(() => {
  for (const gpu of Object.values(gpus)) gpu.dispose();
});

type Call = (...tensors: Tensor[]) => Tensor;
interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly call: (device: Device) => Call;
  /** What rounding may do, absolutely, where large terms cancel. */
  readonly slack?: number;
}
const plain = (call: Call) => (): Call => call;
const classes = (n: number, rows: readonly number[], device: Device): Tensor =>
  tensor(
    Array.from({ length: rows.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7) % n),
    { shape: rows, dtype: 'int32', device },
  );

const CASES: Record<string, Case> = {
  'glu, last dimension': { shapes: [[70, 300]], call: plain((x = none()) => nonlin.glu(x)) },
  'glu, first dimension': {
    shapes: [[4, 7001]],
    call: plain((x = none()) => nonlin.glu(x, { dim: 0 })),
  },
  'swiglu of one row': { shapes: [[20_002]], call: plain((x = none()) => nonlin.swiglu(x)) },
  'linear, all long': {
    shapes: [[130, 90], [140, 90], [140]],
    // Sums of 90 products of up to 4.
    slack: 2e-5,
    call: plain((x = none(), w = none(), bias = none()) =>
      nonlin.linear(x, w, { bias, activation: nonlin.tanh }),
    ),
  },
  'linear, long features': {
    shapes: [[3, 5001], [70, 5001], [70]],
    call: plain((x = none(), w = none(), bias = none()) => nonlin.linear(x, w, { bias })),
  },
  'linear, many outputs': {
    shapes: [[3, 9], [5003, 9], [5003]],
    call: plain((x = none(), w = none(), bias = none()) =>
      nonlin.linear(x, w, { bias, activation: nonlin.gelu }),
    ),
  },
  'matmul of batches': {
    shapes: [
      [3, 1, 50, 9, 8],
      [1, 2, 50, 8, 11],
    ],
    call: plain((a = none(), b = none()) => nonlin.matmul(a, b)),
  },
  'matmul of large batches': {
    shapes: [
      [2, 90, 61],
      [2, 61, 93],
    ],
    call: plain((a = none(), b = none()) => nonlin.matmul(a, b)),
  },
  'add of a repeated operand, too large': {
    shapes: [[3, 5001], [5001]],
    call: plain((a = none(), b = none()) => nonlin.add(a, b)),
  },
  'mul of columns and rows, too large': {
    shapes: [
      [5001, 1],
      [1, 3],
    ],
    call: plain((a = none(), b = none()) => nonlin.mul(a, b)),
  },
  'sum of rows too long': {
    shapes: [[3, 9001]],
    call: plain((x = none()) => nonlin.sum(x, { dim: 1 })),
  },
  'mean of columns': {
    shapes: [[3, 9001]],
    call: plain((x = none()) => nonlin.mean(x, { dim: 0 })),
  },
  'mean of long columns': {
    shapes: [[9001, 3]],
    call: plain((x = none()) => nonlin.mean(x, { dim: 0 })),
  },
  'sum of all': {
    shapes: [[9, 9001]],
    call: plain((x = none()) => nonlin.sum(x)),
    // Sums of parts, of hundreds each, are rounded once.
    slack: 1e-4,
  },
  'prelu by channel': {
    shapes: [[3, 40, 101], [40]],
    call: plain((x = none(), w = none()) => nonlin.prelu(x, w)),
  },
  'regions of many samples': {
    shapes: [[300, 3, 41]],
    call: plain((a = none()) =>
      nonlin.tverskyLoss(a, nonlin.argmax(nonlin.sigmoid(a), { dim: 1 }), { alpha: 0.3 }),
    ),
  },
  'regions of long samples': {
    shapes: [
      [2, 5, 9001],
      [2, 5, 9001],
    ],
    call: plain((a = none(), b = none()) =>
      nonlin.jaccardLoss(a, nonlin.sigmoid(b).detach(), { mode: 'multilabel', reduction: 'none' }),
    ),
  },
  'dice of many samples': {
    shapes: [
      [300, 41],
      [300, 41],
    ],
    call: plain((a = none(), b = none()) => nonlin.diceLoss(nonlin.sigmoid(a), nonlin.sigmoid(b))),
  },
  'dice of long samples': {
    shapes: [
      [2, 9001],
      [2, 9001],
    ],
    call: plain((a = none(), b = none()) =>
      nonlin.diceLoss(nonlin.sigmoid(a), nonlin.sigmoid(b), { reduction: 'none' }),
    ),
  },
  triplets: {
    shapes: [
      [300, 41],
      [300, 41],
      [1, 41],
    ],
    call: plain((a = none(), b = none(), c = none()) => nonlin.tripletMarginLoss(a, b, c)),
  },
  'cosines of columns': {
    shapes: [
      [3, 7001],
      [3, 7001],
    ],
    call: plain((a = none(), b = none()) => nonlin.cosineSimilarity(a, b, { dim: 0 })),
  },
  'margins of classes': {
    shapes: [[501, 41]],
    call:
      (device) =>
      (x = none()) =>
        nonlin.multiMarginLoss(x, classes(41, [501], device)),
  },
  'margins of labels': {
    shapes: [[501, 41]],
    call:
      (device) =>
      (x = none()) =>
        nonlin.multilabelMarginLoss(
          x,
          tensor(
            Array.from({ length: 501 * 41 }, (_, i) => (i % 41 < 3 ? (i % 41) * 5 : -1)),
            { shape: [501, 41], dtype: 'int32', device },
          ),
        ),
  },
  'cross-entropy of pixels': {
    shapes: [[1, 5, 60, 61]],
    call:
      (device) =>
      (x = none()) =>
        nonlin.crossEntropy(x, classes(5, [1, 60, 61], device)),
  },
  'cross-entropy of pixels, weighed': {
    shapes: [[2, 5, 60, 61], [5]],
    call:
      (device) =>
      (x = none(), w = none()) =>
        nonlin.crossEntropy(x, classes(5, [2, 60, 61], device), {
          weight: nonlin.sigmoid(w).detach(),
        }),
  },
  'cross-entropy of many rows, each': {
    shapes: [[9001, 3]],
    call:
      (device) =>
      (x = none()) =>
        nonlin.crossEntropy(x, classes(3, [9001], device), { reduction: 'none' }),
  },
  'log-softmax of pixels': {
    shapes: [[1, 5, 60, 61]],
    call: plain((x = none()) => nonlin.logSoftmax(x, { dim: 1 })),
  },
  'sparsemax of columns': {
    shapes: [[5, 7001]],
    call: plain((x = none()) => nonlin.sparsemax(x, { dim: 0 })),
  },
};

function none(): never {
  throw new Error('no tensor');
}

async function outcome(
  { shapes, call }: Case,
  dtype: 'float32' | 'float16',
  device: Device,
): Promise<number[][]> {
  const tensors = shapes.map((shape, k) =>
    tensor(
      Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        (_, i) => 2 * Math.sin(k + i * 12.9898 + ((i * i) % 31)),
      ),
      { shape, dtype, device, requiresGrad: true },
    ),
  );
  const out = call(device)(...tensors);
  out.backward(
    tensor(
      Array.from({ length: out.size }, (_, i) => Math.cos(i * 3.7)),
      { shape: out.shape, dtype, device },
    ),
  );
  const read = [[...(await out.data())]];
  for (const one of tensors) read.push([...((await one.grad?.data()) ?? [])]);
  return read;
}

describe('several windows in each direction', () => {
  for (const dtype of ['float32', 'float16'] as const) {
    it.each(Object.keys(CASES))(`${dtype}: %s`, { timeout: 120_000 }, async (name) => {
      const one = CASES[name];
      if (!one) throw new Error(name);
      const want = await outcome(one, dtype, cpu);
      const wrong: string[] = [];
      for (const [adapter, gpu] of Object.entries(gpus)) {
        const got = await outcome(one, dtype, gpu);
        want.forEach((values, k) => {
          if (got[k]?.length !== values.length)
            wrong.push(
              `${adapter}: ${k} has ${got[k]?.length ?? 0} elements, not ${values.length}`,
            );
          const scale = values.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
          const rounding = dtype === 'float32' ? 2e-6 * scale : 1.5e-3 * scale + 2 ** -24;
          const bound = rounding + (one.slack ?? 0);
          const bad = values.findIndex((v, i) => !(Math.abs((got[k]?.[i] ?? NaN) - v) <= bound));
          if (bad >= 0)
            wrong.push(
              `${adapter}: ${k}[${bad}] = ${got[k]?.[bad] ?? NaN}, CPU ${values[bad] ?? NaN}`,
            );
        });
        await gpu.synchronize();
      }
      expect(wrong).toEqual([]);
    });
  }
});
