// Rows as people mask them (padding, vocabulary masks, whole rows) on both plans: the GPU against the float64 path. Masks
// meet unmasked elements in every order, so that sums on different scales are joined in every way the kernels have.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  focalLoss,
  init,
  linearCrossEntropy,
  logSoftmax,
  manualSeed,
  gumbelSoftmax,
  scope,
  softmax,
  softmin,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { defineClassLoss } from '../../src/define/class-loss.ts';
import { random } from '../accuracy/inputs.ts';
import { classOf, largest, SMALLEST_NORMAL, ulp32 } from '../ulp.ts';

let cpu: Device;
let gpus: Record<'as it is' | 'as hardware', Device>;
beforeAll(async () => {
  cpu = await init({ backend: 'cpu' });
  gpus = {
    'as it is': await init({ backend: 'webgpu' }),
    'as hardware': await init({ backend: 'webgpu', tuning: 'hardware' }),
  };
});
afterAll(() => {
  for (const gpu of Object.values(gpus)) gpu.dispose();
});

const MASKS = [-Infinity, -1e9, -3.4e38, -2e7, -65_504];
const KINDS = ['left', 'right', 'random', 'all but one', 'all', 'none', 'stripes'] as const;

/** Rows of elements, each masked in another way, and the class of each that is not masked where there is one. */
interface Rows {
  readonly data: Float32Array;
  readonly labels: Int32Array;
}

function maskedRows(rows: number, n: number, seed: number): Rows {
  const next = random(seed);
  const data = new Float32Array(rows * n);
  const labels = new Int32Array(rows);
  for (let r = 0; r < rows; r++) {
    const mask = MASKS[(r + seed) % MASKS.length] ?? 0;
    const kind = KINDS[(Math.floor(r / MASKS.length) + r + seed) % KINDS.length];
    const offset = [0, 0, 200, -200][r % 4] ?? 0;
    const live = Math.floor(next() * n);
    const masked = (i: number): boolean =>
      kind === 'left'
        ? i < n / 2
        : kind === 'right'
          ? i >= n / 2
          : kind === 'random'
            ? next() < 0.5
            : kind === 'all but one'
              ? i !== live
              : kind === 'stripes'
                ? Math.floor(i / 512) % 2 === 0
                : kind === 'all';
    let label = 0;
    for (let i = 0; i < n; i++) {
      const hidden = masked(i);
      data[r * n + i] = hidden ? mask : offset + (next() + next() + next() - 1.5) * 12;
      if (!hidden && (label === 0 || next() < 0.1)) label = i;
    }
    labels[r] = r % 11 === 10 ? -100 : label;
  }
  return { data, labels };
}

/** [rows, n] to [n, rows]: the same rows, as columns. */
function transposed(data: Float32Array, rows: number, n: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < n; i++) out[i * rows + r] = data[r * n + i] ?? NaN;
  return out;
}

type Apply = (x: Tensor, device: Device) => Tensor;

/** Result and gradient of a function of one tensor. */
async function outcome(
  device: Device,
  data: Float32Array,
  shape: readonly number[],
  dtype: 'float32' | 'float16',
  apply: Apply,
): Promise<readonly [Float32Array, Float32Array]> {
  const [out, grad] = scope(() => {
    const x = tensor(data, { shape: [...shape], dtype, device, requiresGrad: true });
    const y = apply(x, device);
    const next = random(77);
    const upstream = Float32Array.from({ length: y.size }, () => 0.5 + next());
    y.backward(tensor(upstream, { shape: [...y.shape], dtype: y.dtype, device }));
    if (!x.grad) throw new Error('no gradient');
    return [y, x.grad];
  });
  const read = [(await out.data()) as Float32Array, (await grad.data()) as Float32Array] as const;
  out.dispose();
  grad.dispose();
  return read;
}

/** Elements that differ by more than `ulps` of the result and `parts` of 2^-22. float16 has a rounding of its own. */
function differences(
  got: Float32Array,
  want: Float32Array,
  ulps: number,
  absolute: number,
  dtype: 'float32' | 'float16',
): string[] {
  const wrong: string[] = [];
  const half = dtype === 'float16';
  want.forEach((e, i) => {
    const value = got[i] ?? NaN;
    const close =
      classOf(e) === 'finite'
        ? Math.abs(value - e) <=
          ulps * ulp32(e) +
            absolute +
            SMALLEST_NORMAL +
            (half ? Math.max(2 ** -10 * Math.abs(e), 2 ** -24) : 0)
        : classOf(value) === classOf(e);
    if (!close) wrong.push(`[${i}] = ${value}, not ${e}`);
  });
  return wrong;
}

/** Rows × elements: round blocks, chunks, windows and workgroups. */
const SHAPES: readonly (readonly [number, number])[] = [
  [1, 50_257],
  [3, 4097],
  [129, 64],
  [200, 511],
  [768, 255],
];

type Op = (rows: number, n: number, labels: Int32Array) => Record<string, Apply>;

const rowwise: Op = () => ({
  softmax: (x) => softmax(x, { dim: 1 }),
  logSoftmax: (x) => logSoftmax(x, { dim: 1 }),
});

const losses: Op = (rows, n, labels) => {
  const classes = (device: Device): Tensor => tensor(labels, { dtype: 'int32', device });
  const next = random(rows + n);
  const weights = Float32Array.from({ length: n }, () => 0.5 + next());
  return {
    crossEntropy: (x, d) => crossEntropy(x, classes(d), { reduction: 'none' }),
    'crossEntropy mean': (x, d) =>
      crossEntropy(x, classes(d), { weight: tensor(weights, { device: d, dtype: x.dtype }) }),
    'crossEntropy smoothed': (x, d) =>
      crossEntropy(x, classes(d), { reduction: 'none', labelSmoothing: 0.1 }),
    focalLoss: (x, d) => focalLoss(x, classes(d), { reduction: 'none' }),
    'crossEntropy of probabilities': (x, d) => {
      const soft = new Float32Array(rows * n);
      labels.forEach((label, r) => {
        soft[r * n + Math.max(label, 0)] = 0.75;
        soft[r * n + ((label + n) % n)] = 0.25;
      });
      return crossEntropy(x, tensor(soft, { shape: [rows, n], device: d, dtype: x.dtype }), {
        reduction: 'none',
      });
    },
  };
};

for (const plan of ['as it is', 'as hardware'] as const) {
  describe(`masked rows, ${plan}`, () => {
    for (const [rows, n] of SHAPES) {
      for (const dtype of ['float32', 'float16'] as const) {
        it(`[${rows}, ${n}] ${dtype}`, async () => {
          const wrong: string[] = [];
          // Few rows: as many tensors as there are masks of each kind.
          const seeds = rows === 1 ? 5 : rows === 3 ? 3 : 1;
          for (let seed = 0; seed < seeds; seed++) {
            const { data, labels } = maskedRows(rows, n, seed);
            const ops = { ...rowwise(rows, n, labels), ...losses(rows, n, labels) };
            for (const [name, apply] of Object.entries(ops)) {
              const want = await outcome(cpu, data, [rows, n], dtype, apply);
              const got = await outcome(gpus[plan], data, [rows, n], dtype, apply);
              want.forEach((expected, k) => {
                const scale = k === 0 ? 0 : 4 * 2 ** -22 * Math.max(1, largest(expected));
                const bad = differences(
                  got[k] ?? got[0],
                  expected,
                  16 + 2 * Math.log2(n),
                  scale,
                  dtype,
                );
                if (bad.length > 0)
                  wrong.push(
                    `${name}, ${k === 0 ? 'result' : 'gradient'}, seed ${seed}: ${bad.length} of ${expected.length}: ${bad.slice(0, 3).join('; ')}`,
                  );
              });
            }
          }
          expect(wrong).toEqual([]);
        }, 120_000);
      }
    }

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
        const want = await outcome(cpu, columns, [n, rows], 'float32', apply);
        const got = await outcome(gpus[plan], columns, [n, rows], 'float32', apply);
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
        const want = await outcome(cpu, data, [rows, n], 'float32', apply);
        const got = await outcome(gpus[plan], data, [rows, n], 'float32', apply);
        expect(differences(got[0], want[0], 32, 0, 'float32')).toEqual([]);
        expect(differences(got[1], want[1], 32, 2 ** -18, 'float32')).toEqual([]);
      }
    });

    it('gumbelSoftmax of finite masks: a row that is all masked stays a distribution', async () => {
      for (const mask of [-1e9, -3.4e38]) {
        const x = tensor(new Float32Array(4 * 100).fill(mask), {
          shape: [4, 100],
          device: gpus[plan],
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
          [cpu, gpus[plan]].map(async (device) => {
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
    for (const device of [cpu, ...Object.values(gpus)]) {
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
        const want = await outcome(cpu, data, [rows.length, n], 'float32', loss);
        for (const [plan, gpu] of Object.entries(gpus)) {
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
    for (const device of [cpu, ...Object.values(gpus)]) {
      for (const n of [2, 600]) {
        const data = Float32Array.from({ length: n }, (_, i) => (i === 0 ? 3e38 : -3e38));
        const target = tensor([1], { dtype: 'int32', device });
        const loss = bounded(tensor(data, { shape: [1, n], device }), target);
        expect(await loss.item(), device.name).toBe(1);
      }
    }
  });
});
