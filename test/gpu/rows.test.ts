// Rows long enough to be split into chunks, or held in registers, on this adapter and as on hardware: the GPU against the
// CPU. Lengths and columns lie round the planner's limits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  init,
  logSoftmax,
  nllLoss,
  OutOfMemoryError,
  scope,
  softmax,
  softmin,
  sparsemax,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { random } from '../accuracy/inputs.ts';
import { SMALLEST_NORMAL, ulp32 } from '../ulp.ts';
import { upload, type Upload } from '../calls.ts';
import { openGpu } from '../open.ts';
import { inParts } from '../parts.ts';
import { borrow } from './gpu-device.ts';

let cpu: Device;
let gpus: Record<'as it is' | 'as hardware', Device>;
beforeAll(async () => {
  cpu = await init({ backend: 'cpu' });
  gpus = {
    'as it is': await openGpu(),
    'as hardware': await openGpu({ tuning: 'hardware' }),
  };
});
afterAll(() => {
  for (const gpu of Object.values(gpus)) gpu.dispose();
});

interface Case {
  readonly shape: readonly number[];
  readonly dim: number;
}

const SHAPES: readonly Case[] = [
  { shape: [300, 10], dim: 1 },
  { shape: [900, 10], dim: 1 },
  { shape: [2, 512, 7], dim: 1 },
  { shape: [30, 513], dim: 1 },
  { shape: [3, 1023], dim: 1 },
  { shape: [3, 1028], dim: 1 },
  { shape: [1, 70_001], dim: 1 },
  { shape: [2, 8193], dim: 1 },
  { shape: [2, 16_400], dim: 1 },
  { shape: [2, 5000, 3], dim: 1 },
  { shape: [129, 5], dim: 0 },
  { shape: [129, 70], dim: 0 },
];

/** Class losses are several pipelines for each: those that the planner treats alike are left to the other ops. */
const CLASS_SHAPES = SHAPES.filter(
  ({ shape: [, n = 1], dim }) => dim === 1 && ![1023, 16_400].includes(n),
);

function values(shape: readonly number[], seed: number, scale: number, offset = 0): Float32Array {
  const next = random(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return Float32Array.from(
    { length: size },
    () => offset + (next() + next() + next() - 1.5) * scale,
  );
}

/** Result and gradient of a function of one tensor, on a device. */
async function outcome(
  device: Device,
  x: Float32Array,
  shape: readonly number[],
  apply: (input: Tensor) => Tensor,
): Promise<[Float32Array, Float32Array]> {
  const [out, grad] = scope(() => {
    const input = tensor(x, { shape: [...shape], device, requiresGrad: true });
    const result = apply(input);
    if (result.size === 1) result.backward();
    else
      result.backward(tensor(values(result.shape, 9, 1, 2), { shape: [...result.shape], device }));
    if (!input.grad) throw new Error('no gradient');
    return [result, input.grad];
  });
  const data = [await out.data(), await grad.data()] as [Float32Array, Float32Array];
  out.dispose();
  grad.dispose();
  return data;
}

function expectNear(
  got: Float32Array,
  want: Float32Array,
  ulps: number,
  scale: number,
  where: string,
): void {
  expect(got.length).toBe(want.length);
  const wrong: string[] = [];
  want.forEach((e, i) => {
    const value = got[i] ?? NaN;
    if (!(Math.abs(value - e) <= ulps * ulp32(e) + scale * 2 ** -22 + SMALLEST_NORMAL))
      wrong.push(`[${i}] = ${value}, not ${e}`);
  });
  expect(wrong.slice(0, 5), where).toEqual([]);
}

const OPS: Record<string, (dim: number) => (x: Tensor) => Tensor> = {
  softmax: (dim) => (x) => softmax(x, { dim }),
  softmin: (dim) => (x) => softmin(x, { dim }),
  logSoftmax: (dim) => (x) => logSoftmax(x, { dim }),
};

const SPARSEMAX = (dim: number) => (x: Tensor) => sparsemax(x, { dim });

type Call = (device: Device) => (scores: Tensor) => Tensor;

/** Class losses of scores of a shape, in several forms. */
function callsOf(shape: readonly number[]): Record<string, Call> {
  const n = shape[1] ?? 1;
  const rowShape = shape.filter((_, d) => d !== 1);
  const rows = rowShape.reduce((a, b) => a * b, 1);
  const indices = Int32Array.from({ length: rows }, (_, i) =>
    i % 5 === 4 ? -100 : (i * 7919) % n,
  );
  const weights = values([n], 5, 0.5, 1);
  const soft = values(shape, 6, 0.5, 1).map((v) => v / n);
  const target = (device: Device) => tensor(indices, { shape: rowShape, dtype: 'int32', device });
  /** Classes that the host does not know. */
  const hidden = (device: Device) => {
    const classes = target(device);
    if (device.gpuDevice) classes.buffer();
    return classes;
  };
  const weight = (device: Device) => tensor(weights, { device });
  const probabilities = (device: Device) => tensor(soft, { shape: [...shape], device });
  return {
    mean: (d) => (s) => crossEntropy(s, target(d)),
    'mean over hidden classes': (d) => (s) => crossEntropy(s, hidden(d)),
    'weighted mean': (d) => (s) => crossEntropy(s, target(d), { weight: weight(d) }),
    'smoothed sum': (d) => (s) =>
      crossEntropy(s, target(d), { weight: weight(d), labelSmoothing: 0.2, reduction: 'sum' }),
    none: (d) => (s) => crossEntropy(s, target(d), { reduction: 'none', labelSmoothing: 0.1 }),
    probabilities: (d) => (s) =>
      crossEntropy(s, probabilities(d), { weight: weight(d), labelSmoothing: 0.1 }),
    nll: (d) => (s) => nllLoss(s, hidden(d)),
  };
}

describe('long rows', () => {
  for (const adapter of ['as it is', 'as hardware'] as const) {
    for (const [shapes, options] of inParts(SHAPES, 3)) {
      for (const [name, op] of Object.entries(OPS)) {
        it(`${name}, ${adapter}`, { timeout: 120_000, ...options }, async () => {
          for (const { shape, dim } of shapes) {
            for (const offset of [0, 190]) {
              const x = values(shape, 3, 30, offset);
              const want = await outcome(cpu, x, shape, op(dim));
              const got = await outcome(gpus[adapter], x, shape, op(dim));
              const n = shape[dim] ?? 1;
              const where = `${name} of [${shape.join()}], dim ${dim}, ${adapter}`;
              expectNear(got[0], want[0], 6 + 2 * Math.log2(n), 0, `${where}, result`);
              expectNear(
                got[1],
                want[1],
                16,
                name === 'logSoftmax' ? 4 * n : 4,
                `${where}, gradient`,
              );
            }
          }
        });
      }
    }

    for (const [shapes, options] of inParts(CLASS_SHAPES, 4)) {
      it(`class losses, ${adapter}`, { timeout: 240_000, ...options }, async () => {
        for (const { shape } of shapes) {
          const n = shape[1] ?? 1;
          const x = values(shape, 4, 20);
          for (const [name, call] of Object.entries(callsOf(shape))) {
            const where = `${name} of [${shape.join()}], ${adapter}`;
            const gpu = gpus[adapter];
            const want = await outcome(cpu, x, shape, call(cpu));
            const got = await outcome(gpu, x, shape, call(gpu));
            expectNear(got[0], want[0], 8 + 2 * Math.log2(n), 0, `${where}, loss`);
            // Of the sum of both terms, at most 2 for one row.
            expectNear(got[1], want[1], 16 + 2 * Math.log2(n), 2 / n, `${where}, gradient`);
            const alone = scope(() => call(gpu)(tensor(x, { shape: [...shape], device: gpu })));
            expectNear(
              (await alone.data()) as Float32Array,
              want[0],
              8 + 2 * Math.log2(n),
              0,
              `${where}, without gradient`,
            );
            alone.dispose();
          }
        }
      });
    }
  }
});

describe('in windows', () => {
  // Of 4,096 float32 at a time; rows start where a binding may after 64 of them at the latest.
  let small: Device;
  beforeAll(async () => {
    small = await openGpu({ limits: { maxStorageBufferBindingSize: 16_384 } });
  });
  afterAll(() => {
    small.dispose();
  });

  it('row-wise ops', async () => {
    for (const { shape, dim } of [
      { shape: [300, 50], dim: 1 },
      { shape: [200, 31], dim: 1 },
      { shape: [9, 2048], dim: 1 },
      { shape: [40, 16, 12], dim: 1 },
    ]) {
      for (const [name, op] of Object.entries({ ...OPS, sparsemax: SPARSEMAX })) {
        const x = values(shape, 8, 6);
        const want = await outcome(cpu, x, shape, op(dim));
        const got = await outcome(small, x, shape, op(dim));
        const scale = name === 'sparsemax' ? 4 : 0;
        expectNear(got[0], want[0], 20, scale, `${name} of [${shape.join()}], result`);
        expectNear(got[1], want[1], 20, 200, `${name} of [${shape.join()}], gradient`);
      }
    }
  });

  const WINDOWED = [
    [300, 50],
    [9, 2048],
    [40, 16, 12],
  ];
  for (const [shapes, options] of inParts(WINDOWED, 3)) {
    it('class losses', options, async () => {
      for (const shape of shapes) {
        const x = values(shape, 4, 20);
        for (const [name, call] of Object.entries(callsOf(shape))) {
          const where = `${name} of [${shape.join()}]`;
          const want = await outcome(cpu, x, shape, call(cpu));
          const got = await outcome(small, x, shape, call(small));
          expectNear(got[0], want[0], 20, 0, `${where}, loss`);
          expectNear(got[1], want[1], 30, 1, `${where}, gradient`);
          const input = tensor(x, { shape, device: small });
          const alone = scope(() => call(small)(input));
          expectNear((await alone.data()) as Float32Array, want[0], 20, 0, `${where}, alone`);
          alone.dispose();
          input.dispose();
        }
      }
    });
  }

  it('rows longer than a binding, and columns', async () => {
    for (const { shape, dim } of [
      { shape: [1, 8192], dim: 1 },
      { shape: [3, 10_001], dim: 1 },
      { shape: [2, 30, 300], dim: 1 },
      { shape: [2, 6000, 3], dim: 1 },
      { shape: [3, 5001], dim: 0 },
    ]) {
      for (const [name, op] of Object.entries(OPS)) {
        const x = values(shape, 8, 6);
        const want = await outcome(cpu, x, shape, op(dim));
        const got = await outcome(small, x, shape, op(dim));
        expectNear(got[0], want[0], 20, 0, `${name} of [${shape.join()}], result`);
        expectNear(got[1], want[1], 20, 200, `${name} of [${shape.join()}], gradient`);
      }
    }
  });

  it('refuses a row that no binding can span, where it is gone through again and again', () => {
    const x = tensor(new Float32Array(8192), { shape: [1, 8192], device: small });
    expect(() => sparsemax(x, { dim: 1 })).toThrow(OutOfMemoryError);
    x.dispose();
  });
});

describe('confident predictions', () => {
  it('leave a loss infinite where label smoothing spreads all of it', async () => {
    for (const device of [cpu, ...Object.values(gpus)]) {
      for (const [n, rows] of [
        [2, 3],
        [600, 20],
      ] as const) {
        const x = Float32Array.from({ length: n * rows }, (_, i) => (i % n === 0 ? 3e38 : -3e38));
        const target = tensor(new Int32Array(rows).fill(1), { dtype: 'int32', device });
        const loss = crossEntropy(tensor(x, { shape: [rows, n], device }), target, {
          labelSmoothing: 1,
          reduction: 'sum',
        });
        expect(await loss.item(), `${device.type}, ${n}`).toBe(Infinity);
      }
    }
  });

  it('keep the loss and its gradient relatively exact', async () => {
    for (const device of [cpu, ...Object.values(gpus)]) {
      for (const gap of [5, 17.3, 30, 80]) {
        const logits = tensor([[0, gap, 0]], { device, requiresGrad: true });
        const loss = crossEntropy(logits, tensor([1], { dtype: 'int32', device }));
        loss.backward();
        const rest = 2 * Math.exp(-Math.fround(gap));
        const want = Math.log1p(rest);
        expect(
          Math.abs((await loss.item()) - want) / ulp32(want),
          `${device.type}, ${gap}`,
        ).toBeLessThan(8);
        const [, atLabel = NaN] = (await logits.grad?.data()) ?? [];
        const slope = -rest / (1 + rest);
        expect(Math.abs(atLabel - slope) / ulp32(slope), `${device.type}, ${gap}`).toBeLessThan(8);
      }
    }
  });
});

describe('class weights in memory that ends with them', () => {
  // Columns: the scores are read one by one either way, weights in fours only where their number allows.
  it.each([
    [4, 5],
    [5, 4],
    [8, 1],
  ])('of %i classes, then of %i', async (...counts) => {
    for (const n of counts) {
      const outcome = async (device: Device, place: Upload): Promise<number[]> => {
        const put = (shape: number[], data: Float32Array): Tensor =>
          place({ shape, dtype: 'float', data: [...data] }, 'float32', device);
        const input = put([3, n, 2], values([3, n, 2], n, 4));
        const weight = put([n], values([n], n + 1, 0.5, 1));
        const target = tensor(
          [0, 1, 2, 3, 4, 5].map((i) => i % n),
          {
            shape: [3, 2],
            dtype: 'int32',
            device,
          },
        );
        const out = nllLoss(input, target, { weight, reduction: 'none' });
        const read = [...(await out.data())];
        for (const one of [input, weight, target, out]) one.dispose();
        return read;
      };
      const want = await outcome(cpu, upload);
      for (const gpu of Object.values(gpus)) {
        const got = await outcome(gpu, borrow);
        got.forEach((value, i) => {
          const right = want[i] ?? NaN;
          expect(Math.abs(value - right)).toBeLessThanOrEqual(2 * ulp32(right));
        });
      }
    }
  });
});
