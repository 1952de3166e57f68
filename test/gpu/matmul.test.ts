// Products of matrices with sizes round the edges of tiles, steps and splits, on this adapter and as on hardware: the GPU
// against exact products, within what sums of float32 may be off by.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  linear,
  matmul,
  relu,
  tensor,
  type Device,
  type DType,
  type Tensor,
} from '../../src/index.ts';
import { run } from '../../src/core/dispatcher.ts';
import { matmulKernel } from '../../src/kernels/matmul/plan.ts';
import { product, productOf } from '../../src/math/matmul.ts';
import { random } from '../accuracy/inputs.ts';
import { upload, type Upload } from '../calls.ts';
import { openGpu } from '../open.ts';
import { inParts } from '../parts.ts';
import { borrow } from './gpu-device.ts';

type Plan = 'as it is' | 'as hardware' | 'as hardware, small bindings';
const PLANS: readonly Plan[] = ['as it is', 'as hardware', 'as hardware, small bindings'];
let devices: Record<Plan, Device>;
beforeAll(async () => {
  devices = {
    'as it is': await openGpu(),
    'as hardware': await openGpu({ tuning: 'hardware' }),
    'as hardware, small bindings': await openGpu({
      tuning: 'hardware',
      limits: { maxStorageBufferBindingSize: 16384 },
    }),
  };
});
afterAll(() => {
  for (const device of Object.values(devices)) device.dispose();
});

function values(size: number, seed: number): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: size }, () => next() * 2 - 1);
}

/** What a result may be off by, in units of the sum of its terms' magnitudes: sums of 32 terms, the sum of those, a split's. */
const bound = (k: number): number => (40 + k / 32) * 2 ** -24;

/** What the sum of a row may be off by, in units of the sum of its magnitudes: two roundings of blocks of four, and its own. */
const ROW_SUM = 3 * 2 ** -24;

interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** C and, per element, the sum of the magnitudes, for row-major A [m, k] and B [k, n]. */
function exact(a: Float32Array, b: Float32Array, { m, k, n }: Sizes): [Float64Array, Float64Array] {
  const [sums, magnitudes] = [new Float64Array(m * n), new Float64Array(m * n)];
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const x = a[i * k + p] ?? NaN;
      for (let j = 0; j < n; j++) {
        const term = x * (b[p * n + j] ?? NaN);
        sums[i * n + j] = (sums[i * n + j] ?? NaN) + term;
        magnitudes[i * n + j] = (magnitudes[i * n + j] ?? NaN) + Math.abs(term);
      }
    }
  }
  return [sums, magnitudes];
}

/** The largest error in units of what is allowed, for results that are rounded to a dtype. */
function worst(
  got: ArrayLike<number>,
  [sums, magnitudes]: readonly [Float64Array, Float64Array],
  k: number,
  dtype: DType = 'float32',
): number {
  expect(got.length).toBe(sums.length);
  const rounding = dtype === 'float16' ? 2 ** -11 : 2 ** -24;
  let largest = 0;
  for (let i = 0; i < got.length; i++) {
    const [sum = NaN, magnitude = NaN] = [sums[i], magnitudes[i]];
    const allowed = bound(k) * magnitude + rounding * Math.abs(sum) + 2 ** -25;
    const error = Math.abs((got[i] ?? NaN) - sum) / allowed;
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

/** Rows and columns of one matrix exchanged. */
function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(
    { length: x.length },
    (_, i) => x[(i % rows) * columns + Math.floor(i / rows)] ?? NaN,
  );
}

const SIZES: readonly Sizes[] = [
  // few rows, or columns: long and short k, whole vec4 or not
  { m: 1, k: 4096, n: 8 },
  { m: 1, k: 2051, n: 64 },
  { m: 3, k: 64, n: 36 },
  { m: 4, k: 512, n: 132 },
  { m: 5, k: 30, n: 33 },
  { m: 8, k: 1028, n: 5 },
  { m: 8, k: 3, n: 129 },
  { m: 9, k: 260, n: 1 },
  { m: 132, k: 36, n: 1 },
  { m: 67, k: 34, n: 3 },
  { m: 40, k: 1, n: 8 },
  // tiles of 32 and of 64 rows, and their edges
  { m: 9, k: 31, n: 9 },
  { m: 32, k: 32, n: 64 },
  { m: 31, k: 36, n: 63 },
  { m: 33, k: 33, n: 65 },
  { m: 64, k: 64, n: 64 },
  { m: 65, k: 28, n: 68 },
  { m: 63, k: 100, n: 12 },
  { m: 130, k: 1, n: 67 },
  { m: 36, k: 2, n: 10 },
  // the larger tiles of software adapters: whole vec4 or not
  { m: 130, k: 100, n: 84 },
  { m: 101, k: 131, n: 103 },
  // splits
  { m: 64, k: 256, n: 64 },
  { m: 20, k: 1000, n: 20 },
  { m: 33, k: 519, n: 34 },
  { m: 12, k: 20_000, n: 12 },
  { m: 0, k: 3, n: 4 },
  { m: 12, k: 0, n: 12 },
];

const UPLOADS: Record<string, Upload> = { padded: upload, 'not padded': borrow };

describe.each(PLANS)('products %s', (plan) => {
  // Through small bindings every product goes in parts of other sizes: a few tell.
  const sizes =
    plan === 'as hardware, small bindings' ? SIZES.filter((_, i) => i % 4 === 1) : SIZES;
  for (const [some, options] of inParts(sizes, 3)) {
    for (const { m, k, n } of some) {
      it.each(Object.keys(UPLOADS))(
        `of [${m}, ${k}] and [${k}, ${n}], %s`,
        options,
        async (memory) => {
          const device = devices[plan];
          const put = UPLOADS[memory] ?? upload;
          const [x, y] = [values(m * k, 1), values(k * n, 2)];
          const expected = exact(x, y, { m, k, n });
          const load = (data: Float32Array, shape: number[]): Tensor =>
            put({ shape, dtype: 'float', data: [...data] }, 'float32', device);
          const as = {
            plain: load(x, [m, k]),
            transposed: load(transposed(x, m, k), [k, m]),
          };
          const bs = {
            plain: load(y, [k, n]),
            transposed: load(transposed(y, k, n), [n, k]),
          };
          for (const ao of ['plain', 'transposed'] as const) {
            for (const bo of ['plain', 'transposed'] as const) {
              const result = product(as[ao], bs[bo], ao, bo, 'float32');
              const error = worst(await result.data(), expected, k);
              expect(error, `A ${ao}, B ${bo}`).toBeLessThanOrEqual(1);
              result.dispose();
            }
          }
          for (const operand of [...Object.values(as), ...Object.values(bs)]) operand.dispose();
        },
      );
    }

    it.each(some)(
      'of a linear layer with bias and activation, %o',
      options,
      async ({ m, k, n }) => {
        const device = devices[plan];
        const [x, w, bias] = [values(m * k, 3), values(n * k, 4), values(n, 5)];
        const [sums, magnitudes] = exact(x, transposed(w, n, k), { m, k, n });
        for (const [i, sum] of sums.entries()) {
          const term = bias[i % n] ?? NaN;
          sums[i] = sum + term;
          magnitudes[i] = (magnitudes[i] ?? NaN) + Math.abs(term);
        }
        for (const activation of [undefined, relu] as const) {
          const y = linear(
            tensor(x, { shape: [m, k], device, requiresGrad: true }),
            tensor(w, { shape: [n, k], device }),
            { bias: tensor(bias, { shape: [n], device }), ...(activation ? { activation } : {}) },
          );
          const expected = activation ? sums.map((sum) => Math.max(sum, 0)) : sums;
          expect(worst(await y.data(), [expected, magnitudes], k)).toBeLessThanOrEqual(1);
        }
      },
    );

    it.each(some)(
      'with the sums of the rows in the same launches, %o',
      options,
      async ({ m, k, n }) => {
        const device = devices[plan];
        const [x, y] = [values(m * k, 1), values(k * n, 2)];
        const a = tensor(transposed(x, m, k), { shape: [k, m], device });
        const b = tensor(y, { shape: [k, n], device });
        const { args } = productOf(
          'matmul',
          { tensor: a, orientation: 'transposed' },
          { tensor: b, orientation: 'plain' },
        );
        const shape = [m, n];
        const launches = async (rowSums: boolean): Promise<[number, Tensor[]]> => {
          await device.synchronize();
          const before = device.stats().dispatches;
          const outputs = [shape, ...(rowSums ? [[m]] : [])];
          const results = run(
            matmulKernel,
            { ...args, rowSums },
            [a, b],
            outputs.map((own) => ({ shape: own, dtype: 'float32' as const })),
          );
          await device.synchronize();
          return [device.stats().dispatches - before, results];
        };
        const [alone, [product]] = await launches(false);
        const [both, [weight, sums]] = await launches(true);
        if (m * n > 0 && plan !== 'as hardware, small bindings') expect(both).toBe(alone);
        expect(await weight?.data()).toEqual(await product?.data());
        const got = (await sums?.data()) ?? [];
        expect(got.length).toBe(m);
        for (let i = 0; i < m && n > 0; i++) {
          const terms = [...x.subarray(i * k, (i + 1) * k)];
          const sum = terms.reduce((total, term) => total + term, 0);
          const magnitude = terms.reduce((total, term) => total + Math.abs(term), 0);
          const error = Math.abs((got[i] ?? NaN) - sum);
          expect(error, `row ${i}`).toBeLessThanOrEqual(ROW_SUM * magnitude);
        }
      },
    );
  }

  it('in float16, of batches that broadcast', async () => {
    const device = devices[plan];
    for (const [m, k, n] of [
      [2, 70, 36],
      [34, 66, 9],
    ] as const) {
      const half = (data: Float32Array): Float32Array =>
        data.map((v) => Math.fround(Math.round(v * 256) / 256));
      const [x, y] = [half(values(6 * m * k, 6)), half(values(2 * k * n, 7))];
      const got = await matmul(
        tensor(x, { shape: [3, 2, m, k], dtype: 'float16', device }),
        tensor(y, { shape: [2, k, n], dtype: 'float16', device }),
      ).data();
      for (let batch = 0; batch < 6; batch++) {
        const first = x.subarray(batch * m * k, (batch + 1) * m * k);
        const second = y.subarray((batch % 2) * k * n, ((batch % 2) + 1) * k * n);
        const part = got.subarray(batch * m * n, (batch + 1) * m * n) as Float32Array;
        expect(worst(part, exact(first, second, { m, k, n }), k, 'float16')).toBeLessThanOrEqual(1);
      }
    }
  });

  // The second is for the larger tiles of software adapters. What lies past an edge of a matrix must not reach the results.
  it.each([
    { m: 37, k: 19, n: 41 },
    { m: 101, k: 131, n: 103 },
  ])('of $m x $k x $n with NaN and infinities: in their row or column alone', async (sizes) => {
    const { m, k, n } = sizes;
    const device = devices[plan];
    const [a, b] = [values(m * k, 1), values(k * n, 2)];
    a[(m - 1) * k + k - 1] = NaN;
    a[2 * k + 3] = Infinity;
    b[5 * n + n - 1] = -Infinity;
    const [left, right] = [
      tensor(a, { shape: [m, k], device }),
      tensor(b, { shape: [k, n], device }),
    ];
    const got = await matmul(left, right).data();
    const [sums, magnitudes] = exact(a, b, sizes);
    for (const [i, sum] of sums.entries()) {
      const value = Number(got[i]);
      if (!Number.isFinite(sum)) expect(value, `element ${i}`).toBe(sum);
      else expect(Math.abs(value - sum)).toBeLessThanOrEqual(bound(k) * (magnitudes[i] ?? NaN));
    }
  });

  const LAYERS = [
    [5, 3, 6],
    [700, 40, 70],
    [300, 5, 3],
    [64, 3, 300],
    [99, 110, 98],
  ] as const;
  for (const [layers, options] of inParts(LAYERS, 3)) {
    it('in a linear layer: gradients of weight and bias', options, async () => {
      const device = devices[plan];
      // Sums that leave the range of float32 on the way; terms that cancel; some that are lost beside others.
      const columns: readonly (readonly number[])[] = [
        [3e38, 3e38, -3e38, -3e38, 1],
        [1e8, 1, -1e8, 1, 1],
        [Infinity, 1, 2, 3, 4],
        [Infinity, -Infinity, 0, 0, 0],
        [NaN, 1, 1, 1, 1],
        [2e38, -2e38, 2e38, -2e38, 2e38],
      ];
      for (const [rows, inputs, features] of layers) {
        for (const dtype of ['float32', 'float16'] as const) {
          const data = Float32Array.from({ length: rows * features }, (_, i) => {
            const [row, feature] = [Math.floor(i / features), i % features];
            const column = dtype === 'float32' && rows < 100 ? columns[feature] : undefined;
            // In turns over the rows, so that blocks and lanes have some of each.
            if (column) return row % 13 < 5 && row < 13 ? (column[row % 13] ?? 0) : 0;
            return Math.round(256 * Math.sin(i * 0.7)) / 256;
          });
          const leaf = (shape: number[], seed: number): Tensor => {
            const own = values(shape[0] === undefined ? 1 : shape.reduce((p, d) => p * d, 1), seed);
            return tensor(own, { shape, dtype, device, requiresGrad: true });
          };
          const [x, weight, bias] = [
            leaf([rows, inputs], 1),
            leaf([features, inputs], 2),
            leaf([features], 3),
          ];
          const upstream = tensor(data, { shape: [rows, features], dtype, device });
          linear(x, weight, { bias }).backward(upstream);
          const got = (await bias.grad?.data()) ?? [];
          expect(got.length).toBe(features);
          for (let f = 0; f < features; f++) {
            const terms = Array.from({ length: rows }, (_, r) => data[r * features + f] ?? NaN);
            const sum = terms.reduce((total, term) => total + term, 0);
            const magnitude = terms.reduce((total, term) => total + Math.abs(term), 0);
            if (!Number.isFinite(sum)) {
              expect(got[f], `feature ${f}`).toBe(sum);
              continue;
            }
            const allowed =
              ROW_SUM * magnitude + (dtype === 'float16' ? 2 ** -11 : 0) * Math.abs(sum);
            const error = Math.abs((got[f] ?? NaN) - sum);
            expect(error, `feature ${f} of ${rows} rows`).toBeLessThanOrEqual(allowed);
          }
        }
      }
    });
  }
});
