// Rows as people mask them, on both plans, in some shapes. Each dtype in every shape, which is other pipelines:
// test/hostile/masked-rows.test.ts.
import { describe, expect, it } from 'vitest';
import {
  crossEntropy,
  linearCrossEntropy,
  logSoftmax,
  manualSeed,
  gumbelSoftmax,
  softmax,
  softmin,
  tensor,
  type Tensor,
} from '../../src/index.ts';
import { defineClassLoss } from '../../src/define/class-loss.ts';
import { random } from '../accuracy/inputs.ts';
import {
  devicesOfPlans,
  differences,
  maskedRows,
  maskedRowsSuite,
  MASKS,
  outcome,
  PLANS,
  SHAPES,
  type Apply,
} from './masked-rows-suite.ts';

const [longest, long, short] = SHAPES;
maskedRowsSuite({ float32: [longest, long, short], float16: [short] });

const { cpu, gpus } = devicesOfPlans();

/** [rows, n] to [n, rows]: the same rows, as columns. */
function transposed(data: Float32Array, rows: number, n: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < n; i++) out[i * rows + r] = data[r * n + i] ?? NaN;
  return out;
}

for (const plan of PLANS) {
  describe(`masked rows, ${plan}`, () => {
    it.each([
      [129, 64],
      [3, 1025],
      [768, 10],
      [5, 4097],
    ])('%i columns of %i', async (rows, n) => {
      const { data } = maskedRows(rows, n, 3);
      const columns = transposed(data, rows, n);
      const wrong: string[] = [];
      const ops: Record<string, Apply> = {
        softmax: (x) => softmax(x, { dim: 0 }),
        logSoftmax: (x) => logSoftmax(x, { dim: 0 }),
      };
      for (const [name, apply] of Object.entries(ops)) {
        const want = await outcome(cpu(), columns, [n, rows], 'float32', apply);
        const got = await outcome(gpus()[plan], columns, [n, rows], 'float32', apply);
        want.forEach((expected, k) => {
          const bad = differences(
            got[k] ?? got[0],
            expected,
            16 + 2 * Math.log2(n),
            k * 2 ** -18,
            'float32',
          );
          if (bad.length > 0)
            wrong.push(`${name} ${k}: ${bad.length}: ${bad.slice(0, 3).join('; ')}`);
        });
      }
      expect(wrong).toEqual([]);
    });

    it('softmin of the same rows, negated', async () => {
      for (const [rows, n] of [
        [129, 64],
        [3, 8193],
      ] as const) {
        const data = maskedRows(rows, n, 1).data.map((v) => -v);
        const apply: Apply = (x) => softmin(x, { dim: 1 });
        const want = await outcome(cpu(), data, [rows, n], 'float32', apply);
        const got = await outcome(gpus()[plan], data, [rows, n], 'float32', apply);
        expect(differences(got[0], want[0], 32, 0, 'float32')).toEqual([]);
        expect(differences(got[1], want[1], 32, 2 ** -18, 'float32')).toEqual([]);
      }
    });

    it('gumbelSoftmax of finite masks: a row that is all masked stays a distribution', async () => {
      for (const mask of [-1e9, -3.4e38]) {
        const x = tensor(new Float32Array(4 * 100).fill(mask), {
          shape: [4, 100],
          device: gpus()[plan],
        });
        manualSeed(1);
        const y = gumbelSoftmax(x, { tau: 0.5 });
        const read = Float32Array.from(await y.data());
        for (let r = 0; r < 4; r++) {
          const total = read.slice(r * 100, r * 100 + 100).reduce((a, b) => a + b, 0);
          expect(total).toBeCloseTo(1, 4);
        }
        x.dispose();
        y.dispose();
      }
    });

    it('linearCrossEntropy with masks in the bias', async () => {
      for (const mask of MASKS) {
        const n = 1030;
        const bias = Float32Array.from({ length: n }, (_, i) =>
          i % 3 === 0 || i < 515 ? mask : i % 7,
        );
        const losses = await Promise.all(
          [cpu(), gpus()[plan]].map(async (device) => {
            const next = random(5);
            const numbers = (shape: readonly number[]): Tensor =>
              tensor(
                Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next() - 0.5),
                { shape, device },
              );
            const loss = linearCrossEntropy(
              numbers([4, 8]),
              numbers([n, 8]),
              tensor([1000, 700, 1028, 1], { dtype: 'int32', device }),
              { linearBias: tensor(bias, { device }), reduction: 'none' },
            );
            return (await loss.data()) as Float32Array;
          }),
        );
        const [want = new Float32Array(), got = new Float32Array()] = losses;
        expect(differences(got, want, 64, 2 ** -20, 'float32'), String(mask)).toEqual([]);
      }
    });
  });
}

describe('a stretch of -Infinity', () => {
  it.each([1023, 1024, 100_000])('of %i elements but one', async (n) => {
    for (const device of [cpu(), ...Object.values(gpus())]) {
      const x = new Float32Array(n).fill(-Infinity);
      x[0] = 1;
      const y = softmax(tensor(x, { device }), { dim: 0 });
      const read = await y.data();
      expect([read[0], read[1], read[n - 1]]).toEqual([1, 0, 0]);
      const label = tensor([0], { dtype: 'int32', device });
      const logits = tensor(x, { shape: [1, n], device });
      expect(await crossEntropy(logits, label).item()).toBe(0);
    }
  });
});

describe('class weights of 0 and label smoothing', () => {
  const ROWS = [
    [-Infinity, 1, 2],
    [1, -Infinity, 2],
    [3e38, -3e38, 1],
    [-3e38, 3e38, 1],
    [-3.4e38, 0, 0],
    [0, 0, -1e9],
    [-Infinity, -Infinity, 1],
    [1, 2, 3],
  ];
  const WEIGHTS = [
    [0, 1, 1],
    [1, 0, 1],
    [0, 0, 0],
  ];
  /** Elements of a row of n, which repeats its first three. */
  const repeated = (values: readonly number[], n: number): number[] =>
    Array.from({ length: n }, (_, i) => values[i % 3] ?? NaN);

  for (const n of [3, 600]) {
    it.each([0, 0.1, 1])(`${n} classes, labelSmoothing %f`, async (labelSmoothing) => {
      const rows = [...ROWS, ...ROWS];
      const labels = Int32Array.from(rows, (_, r) => Number(r >= ROWS.length));
      const data = Float32Array.from(rows.flatMap((row) => repeated(row, n)));
      for (const weights of WEIGHTS) {
        const loss: Apply = (x, device) =>
          crossEntropy(x, tensor(labels, { dtype: 'int32', device }), {
            weight: tensor(repeated(weights, n), { device }),
            labelSmoothing,
            reduction: 'none',
          });
        const want = await outcome(cpu(), data, [rows.length, n], 'float32', loss);
        for (const [plan, gpu] of Object.entries(gpus())) {
          const got = await outcome(gpu, data, [rows.length, n], 'float32', loss);
          const where = `${plan}, weights ${weights.join()}`;
          expect(differences(got[0], want[0], 16, 0, 'float32'), where).toEqual([]);
          expect(differences(got[1], want[1], 16, 2 ** -20, 'float32'), where).toEqual([]);
        }
      }
    });
  }
});

describe('a loss with a bound', () => {
  // 1 - p of the class.
  const bounded = defineClassLoss({
    name: 'bounded',
    wgsl: `fn class_loss(l: f32, p: Params) -> f32 { return 1.0 - nl_exp(l); }
fn class_loss_grad(l: f32, p: Params) -> f32 { return -nl_exp(l); }
`,
    normalised: true,
    soft: false,
    loss: (l) => 1 - Math.exp(l),
    grad: (l) => -Math.exp(l),
  });

  it('keeps it where the difference of two scores overflows', async () => {
    for (const device of [cpu(), ...Object.values(gpus())]) {
      for (const n of [2, 600]) {
        const data = Float32Array.from({ length: n }, (_, i) => (i === 0 ? 3e38 : -3e38));
        const target = tensor([1], { dtype: 'int32', device });
        const loss = bounded(tensor(data, { shape: [1, n], device }), target);
        expect(await loss.item(), device.name).toBe(1);
      }
    }
  });
});
