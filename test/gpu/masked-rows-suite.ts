// Takes shapes by dtype, and gives tests of rows as people mask them (padding, vocabulary masks, whole rows) on both plans: the
// GPU against the float64 path. Masks meet unmasked elements in every order, so that sums on different scales are joined in
// every way the kernels have.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  focalLoss,
  init,
  logSoftmax,
  scope,
  softmax,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { random } from '../accuracy/inputs.ts';
import { openGpu } from '../open.ts';
import { classOf, largest, SMALLEST_NORMAL, ulp32 } from '../ulp.ts';

export const MASKS = [-Infinity, -1e9, -3.4e38, -2e7, -65_504];
const KINDS = ['left', 'right', 'random', 'all but one', 'all', 'none', 'stripes'] as const;

/** Rows of elements, each masked in another way, and the class of each that is not masked where there is one. */
interface Rows {
  readonly data: Float32Array;
  readonly labels: Int32Array;
}

export function maskedRows(rows: number, n: number, seed: number): Rows {
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

export type Apply = (x: Tensor, device: Device) => Tensor;

/** Result and gradient of a function of one tensor. */
export async function outcome(
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
export function differences(
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
export const SHAPES = [
  [1, 50_257],
  [3, 4097],
  [129, 64],
  [200, 511],
  [768, 255],
] as const;

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

type Shapes = readonly (readonly [rows: number, n: number])[];

export const PLANS = ['as it is', 'as hardware'] as const;

/** A device for each plan, and one for float64; made ahead of the tests of the suite that it is called in. */
export function devicesOfPlans(): {
  cpu: () => Device;
  gpus: () => Record<(typeof PLANS)[number], Device>;
} {
  let cpu: Device;
  let gpus: Record<(typeof PLANS)[number], Device>;
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
  return { cpu: () => cpu, gpus: () => gpus };
}

export function maskedRowsSuite(shapesOf: Readonly<Record<'float32' | 'float16', Shapes>>): void {
  const { cpu, gpus } = devicesOfPlans();
  for (const plan of PLANS) {
    describe(`masked rows, ${plan}`, () => {
      for (const dtype of ['float32', 'float16'] as const) {
        for (const [rows, n] of shapesOf[dtype]) {
          it(`[${rows}, ${n}] ${dtype}`, async () => {
            const wrong: string[] = [];
            // Few rows: as many tensors as there are masks of each kind.
            const seeds = rows === 1 ? 5 : rows === 3 ? 3 : 1;
            for (let seed = 0; seed < seeds; seed++) {
              const { data, labels } = maskedRows(rows, n, seed);
              const ops = { ...rowwise(rows, n, labels), ...losses(rows, n, labels) };
              for (const [name, apply] of Object.entries(ops)) {
                const want = await outcome(cpu(), data, [rows, n], dtype, apply);
                const got = await outcome(gpus()[plan], data, [rows, n], dtype, apply);
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
    });
  }
}
