// Norms by channels on any device: what the generic tests of ops do not see. Channels far from 0 in every layout, gradients of
// operands in chunks, running statistics, modules.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  batchNorm,
  groupNorm,
  init,
  instanceNorm,
  nn,
  OptionError,
  safetensors,
  ShapeError,
  tensor,
  type Device,
  type InitOptions,
  type Tensor,
} from '../src/index.ts';
import { sizeOf } from '../src/core/shape.ts';
import { inParts } from './parts.ts';

const noise = (length: number, seed = 1): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898));

/** Which row an element of x is of. */
type RowOf = (batch: number, channel: number) => number;

interface Layout {
  readonly what: string;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly row: RowOf;
  readonly norm: (x: Tensor, options: object) => Tensor;
}

const training = (x: Tensor, options: object): Tensor =>
  batchNorm(x, { training: true, ...options });
const LAYOUTS: readonly Layout[] = [
  {
    what: 'a batch of channels in whole quads',
    shape: [3, 5, 64],
    rows: 5,
    row: (_, c) => c,
    norm: training,
  },
  { what: 'in odd pieces', shape: [40, 6, 49], rows: 6, row: (_, c) => c, norm: training },
  { what: 'in long odd pieces', shape: [3, 2, 20_001], rows: 2, row: (_, c) => c, norm: training },
  { what: 'one by one', shape: [5000, 3], rows: 3, row: (_, c) => c, norm: training },
  { what: 'one example', shape: [1, 3, 300], rows: 3, row: (_, c) => c, norm: training },
  {
    what: 'groups of channels in whole quads',
    shape: [2, 6, 8],
    rows: 4,
    row: (b, c) => 2 * b + Math.floor(c / 3),
    norm: (x, options) => groupNorm(x, 2, options),
  },
  {
    what: 'groups of channels that share quads',
    shape: [3, 6, 5, 7],
    rows: 9,
    row: (b, c) => 3 * b + Math.floor(c / 2),
    norm: (x, options) => groupNorm(x, 3, options),
  },
  {
    what: 'long groups',
    shape: [1, 4, 20_001],
    rows: 2,
    row: (_, c) => Math.floor(c / 2),
    norm: (x, options) => groupNorm(x, 2, options),
  },
  {
    what: 'examples',
    shape: [4, 3, 30_000],
    rows: 12,
    row: (b, c) => 3 * b + c,
    norm: instanceNorm,
  },
];

/** Results and gradients in float64. */
function expectedOf(
  { shape, rows, row }: Layout,
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array,
  g: Float64Array,
  eps: number,
): { y: Float64Array; x: Float64Array; weight: Float64Array; bias: Float64Array } {
  const [, channels = 1, ...rest] = shape;
  const spatial = sizeOf(rest);
  const placeOf = (i: number): [r: number, c: number] => {
    const c = Math.floor(i / spatial) % channels;
    return [row(Math.floor(i / spatial / channels), c), c];
  };
  const add = (sums: Float64Array, i: number, v: number): void => {
    sums[i] = (sums[i] ?? 0) + v;
  };
  const n = x.length / rows;
  const mean = new Float64Array(rows);
  x.forEach((v, i) => {
    add(mean, placeOf(i)[0], v / n);
  });
  const square = new Float64Array(rows);
  x.forEach((v, i) => {
    add(square, placeOf(i)[0], (v - (mean[placeOf(i)[0]] ?? NaN)) ** 2 / n);
  });
  const factor = square.map((v) => 1 / Math.sqrt(v + eps));
  const z = x.map((v, i) => (v - (mean[placeOf(i)[0]] ?? NaN)) * (factor[placeOf(i)[0]] ?? NaN));
  const [first, second] = [new Float64Array(rows), new Float64Array(rows)];
  const [ofWeight, ofBias] = [new Float64Array(channels), new Float64Array(channels)];
  z.forEach((v, i) => {
    const [r, c] = placeOf(i);
    const up = g[i] ?? NaN;
    add(first, r, (up * (weight[c] ?? NaN)) / n);
    add(second, r, (up * (weight[c] ?? NaN) * v) / n);
    add(ofWeight, c, up * v);
    add(ofBias, c, up);
  });
  const [y, ofX] = [z.slice(), z.slice()];
  z.forEach((v, i) => {
    const [r, c] = placeOf(i);
    const w = weight[c] ?? NaN;
    y[i] = v * w + (bias[c] ?? NaN);
    ofX[i] = (factor[r] ?? NaN) * ((g[i] ?? NaN) * w - (first[r] ?? NaN) - v * (second[r] ?? NaN));
  });
  return { y, x: ofX, weight: ofWeight, bias: ofBias };
}

export function channelNormSuite(options: InitOptions): void {
  let device: Device;
  beforeAll(async () => {
    device = await init(options);
  });
  afterAll(() => {
    device.dispose();
  });

  const place = (data: ArrayLike<number>, shape: readonly number[], grad = false): Tensor =>
    tensor(Float32Array.from(data), { shape, device, requiresGrad: grad });
  const values = async (of: Tensor | null | undefined): Promise<number[]> => [
    ...((await of?.data()) ?? []),
  ];

  for (const [layouts, tags] of inParts(LAYOUTS, 2)) {
    it.each(layouts)('results and gradients of $what, at 1e6 too', tags, async (layout) => {
      const { shape, norm } = layout;
      const [size, channels] = [sizeOf(shape), shape[1] ?? 1];
      const eps = 1e-5;
      for (const offset of [0, 1e6]) {
        // 1/16 apart at least: float32 holds these, not their squares.
        const x = noise(size).map((v) => offset + Math.round(64 * v) / 16);
        const [w, b, g] = [noise(channels, 2), noise(channels, 3), noise(size, 4)].map((v) =>
          v.map(Math.fround),
        );
        if (!w || !b || !g) throw new Error('no values');
        const [input, weight, bias] = [
          place(x, shape, true),
          place(w, [channels], true),
          place(b, [channels], true),
        ];
        const y = norm(input, { weight, bias, eps });
        y.backward(place(g, shape));
        const want = expectedOf(layout, x, w, b, g, eps);
        const got = {
          y: await values(y),
          x: await values(input.grad),
          weight: await values(weight.grad),
          bias: await values(bias.grad),
        };
        // The sums are of as many terms of 1.
        const terms = size / channels;
        const allowed = { y: 3e-6, x: 3e-6, weight: 4e-7 * terms, bias: 1e-6 * terms ** 0.7 };
        for (const name of ['y', 'x', 'weight', 'bias'] as const) {
          const worst = want[name].reduce(
            (most, v, i) => Math.max(most, Math.abs(v - (got[name][i] ?? NaN))),
            0,
          );
          expect([name, got[name].length]).toEqual([name, want[name].length]);
          expect(worst, name).toBeLessThan(allowed[name]);
          const again = want[name].some((v) => Math.abs(v) > 100 * allowed[name]);
          expect(again, `${name} is not 0`).toBe(true);
        }
        // What is asked for alone is the same.
        const alone = place(w, [channels], true);
        norm(place(x, shape), { weight: alone, bias: bias.detach(), eps }).backward(
          place(g, shape),
        );
        const same = await values(alone.grad);
        same.forEach((v, i) => {
          expect(Math.abs(v - (got.weight[i] ?? NaN))).toBeLessThan(allowed.weight);
        });
      }
    });
  }

  describe('running statistics', () => {
    const x = noise(2 * 3 * 4).map((v) => 3 * v + 1);
    const [mean, unbiased] = [new Float64Array(3), new Float64Array(3)];
    x.forEach((v, i) => {
      const c = Math.floor(i / 4) % 3;
      mean[c] = (mean[c] ?? NaN) + v / 8;
    });
    x.forEach((v, i) => {
      const c = Math.floor(i / 4) % 3;
      unbiased[c] = (unbiased[c] ?? NaN) + (v - (mean[c] ?? NaN)) ** 2 / 7;
    });

    it('of a batch move by the momentum, with or without gradients', async () => {
      for (const grad of [false, true]) {
        const runningMean = place([1, 2, 3], [3]);
        const runningVar = place([4, 5, 6], [3]);
        const input = place(x, [2, 3, 4], grad);
        const given = { runningMean, runningVar, momentum: 0.25 };
        const y = batchNorm(input, { ...given, training: true });
        if (grad) y.backward(y.detach());
        const [m, v] = [await values(runningMean), await values(runningVar)];
        for (const c of [0, 1, 2]) {
          expect(m[c]).toBeCloseTo(0.75 * (c + 1) + 0.25 * (mean[c] ?? NaN), 5);
          expect(v[c]).toBeCloseTo(0.75 * (c + 4) + 0.25 * (unbiased[c] ?? NaN), 5);
        }
        // In use they stay as they are.
        const z = await values(batchNorm(input.detach(), given));
        z.forEach((value, i) => {
          const c = Math.floor(i / 4) % 3;
          const e = ((x[i] ?? NaN) - (m[c] ?? NaN)) / Math.sqrt((v[c] ?? NaN) + 1e-5);
          expect(value).toBeCloseTo(e, 5);
        });
        expect(await values(runningMean)).toEqual(m);
      }
    });

    it('one of them alone, and none of an empty batch', async () => {
      const runningVar = place([4, 5, 6], [3]);
      batchNorm(place(x, [2, 3, 4]), { runningVar, momentum: 1, training: true });
      const v = await values(runningVar);
      for (const c of [0, 1, 2]) expect(v[c]).toBeCloseTo(unbiased[c] ?? NaN, 5);
      batchNorm(place([], [0, 3, 4]), { runningVar, training: true });
      expect(await values(runningVar)).toEqual(v);
    });

    it('of examples move towards the mean of theirs', async () => {
      const runningMean = place([0, 0, 0], [3]);
      const runningVar = place([0, 0, 0], [3]);
      instanceNorm(place(x, [2, 3, 4]), { runningMean, runningVar, momentum: 1 });
      const [m, v] = [await values(runningMean), await values(runningVar)];
      for (const c of [0, 1, 2]) {
        expect(m[c]).toBeCloseTo(mean[c] ?? NaN, 5);
        const own = [0, 1].map((b) => x.subarray((3 * b + c) * 4, (3 * b + c) * 4 + 4));
        const variance = own.map((row) => {
          const about = row.reduce((sum, value) => sum + value / 4, 0);
          return row.reduce((sum, value) => sum + (value - about) ** 2 / 3, 0);
        });
        expect(v[c]).toBeCloseTo(((variance[0] ?? NaN) + (variance[1] ?? NaN)) / 2, 5);
      }
      const given = { runningMean, runningVar };
      expect(
        await values(instanceNorm(place(x, [2, 3, 4]), { ...given, useInputStats: false })),
      ).toEqual(await values(batchNorm(place(x, [2, 3, 4]), given)));
    });

    it('in float16', async () => {
      const half = (data: ArrayLike<number>, shape: readonly number[]): Tensor =>
        tensor(Float32Array.from(data), { shape, device, dtype: 'float16' });
      const given = { runningMean: half([1, 2, 3], [3]), runningVar: half([4, 5, 6], [3]) };
      const y = batchNorm(half(x, [2, 3, 4]), { ...given, training: true, momentum: 0.5 });
      expect(y.dtype).toBe('float16');
      const m = await values(given.runningMean);
      for (const c of [0, 1, 2]) expect(m[c]).toBeCloseTo(0.5 * (c + 1 + (mean[c] ?? NaN)), 2);
    });

    it('are not moved by a call that is refused', async () => {
      const runningMean = place([1, 2, 3], [3]);
      const given = { runningMean, runningVar: place([1], [1]), training: true };
      expect(() => batchNorm(place(x, [2, 3, 4]), given)).toThrow(ShapeError);
      expect(await values(runningMean)).toEqual([1, 2, 3]);
    });
  });

  describe('modules', () => {
    it('have the parameters, the buffers and the state of PyTorch', async () => {
      const batch = new nn.BatchNorm2d(3, { device });
      expect(batch.namedParameters().map(([name]) => name)).toEqual(['weight', 'bias']);
      const state = batch.stateDict();
      expect(Object.entries(state).map(([name, { shape, dtype }]) => [name, shape, dtype])).toEqual(
        [
          ['weight', [3], 'float32'],
          ['bias', [3], 'float32'],
          ['running_mean', [3], 'float32'],
          ['running_var', [3], 'float32'],
          ['num_batches_tracked', [], 'int32'],
        ],
      );
      expect(await values(batch.runningVar)).toEqual([1, 1, 1]);
      const names = (module: { stateDict: () => object }): string[] =>
        Object.keys(module.stateDict());
      expect(names(new nn.BatchNorm1d(3, { affine: false, device }))).toEqual([
        'running_mean',
        'running_var',
        'num_batches_tracked',
      ]);
      expect(names(new nn.BatchNorm3d(3, { trackRunningStats: false, device }))).toEqual([
        'weight',
        'bias',
      ]);
      expect(names(new nn.InstanceNorm2d(3, { device }))).toEqual([]);
      expect(names(new nn.InstanceNorm1d(3, { affine: true, device }))).toEqual(['weight', 'bias']);
      expect(names(new nn.GroupNorm(2, 4, { device }))).toEqual(['weight', 'bias']);
      expect(names(new nn.GroupNorm(2, 4, { affine: false, device }))).toEqual([]);
    });

    it('count batches, and load what was saved', async () => {
      const batch = new nn.BatchNorm1d(3, { device });
      const other = new nn.BatchNorm1d(3, { device });
      const [first, second] = [noise(12), noise(12, 7)].map((v) => place(v, [4, 3]));
      if (!first || !second) throw new Error('no tensors');
      batch.forward(first);
      batch.forward(second);
      expect(await batch.numBatchesTracked?.item()).toBe(2);
      other.loadStateDict(safetensors.load(await safetensors.save(batch.stateDict()), { device }));
      expect(await other.numBatchesTracked?.item()).toBe(2);
      expect(await values(other.eval().forward(first))).toEqual(
        await values(batch.eval().forward(first)),
      );
      expect(await batch.numBatchesTracked?.item()).toBe(2);
    });

    it('give each batch the same weight without a momentum', async () => {
      const batch = new nn.BatchNorm1d(2, { momentum: null, device });
      const all = [noise(8), noise(8, 3), noise(8, 9)];
      for (const data of all) batch.forward(place(data, [4, 2]));
      const m = await values(batch.runningMean);
      for (const c of [0, 1]) {
        const sum = all.reduce(
          (total, data) => total + data.reduce((s, v, i) => s + (i % 2 === c ? v : 0), 0),
          0,
        );
        expect(m[c]).toBeCloseTo(sum / 12, 5);
      }
    });

    it('compute what the functions do, by mode', async () => {
      const x = place(noise(2 * 4 * 6), [2, 4, 2, 3]);
      const group = new nn.GroupNorm(2, 4, { eps: 0.5, device });
      expect(await values(group.forward(x))).toEqual(await values(groupNorm(x, 2, { eps: 0.5 })));
      const plain = new nn.InstanceNorm2d(4, { device });
      const own = await values(instanceNorm(x));
      expect(await values(plain.forward(x))).toEqual(own);
      expect(await values(plain.eval().forward(x))).toEqual(own);
      // One example without a batch.
      const one = place(noise(24), [4, 2, 3]);
      const alone = plain.forward(one);
      expect(alone.shape).toEqual([4, 2, 3]);
      expect(await values(alone)).toEqual(own.slice(0, 24));
      const tracked = new nn.InstanceNorm2d(4, { trackRunningStats: true, device }).eval();
      const used = await values(tracked.forward(x));
      used.forEach((v, i) => {
        expect(v).toBeCloseTo((noise(48)[i] ?? NaN) / Math.sqrt(1 + 1e-5), 5);
      });
      const untracked = new nn.BatchNorm2d(4, { trackRunningStats: false, device }).eval();
      expect(await values(untracked.forward(x))).toEqual(
        await values(batchNorm(x, { training: true })),
      );
      const layer = new nn.BatchNorm2d(4, { device });
      layer.forward(x).backward(x);
      expect(layer.weight?.grad?.shape).toEqual([4]);
    });

    it('refuse what they do not take', () => {
      const make =
        (Class: new (...args: never[]) => unknown, ...given: unknown[]) =>
        () =>
          Reflect.construct(Class, given) as unknown;
      for (const count of [0, 1.5, '3', null])
        expect(make(nn.BatchNorm1d, count)).toThrow(/^BatchNorm1d: numFeatures/);
      expect(make(nn.GroupNorm, 3, 4)).toThrow(OptionError);
      expect(make(nn.GroupNorm, 0, 4)).toThrow(OptionError);
      for (const wrong of [{ eps: -1 }, { momentum: 'x' }, { affine: 1 }, { bias: true }])
        expect(make(nn.InstanceNorm3d, 4, wrong)).toThrow(OptionError);
      const x = place(noise(12), [3, 4]);
      expect(() => new nn.BatchNorm2d(4, { device }).forward(x)).toThrow(/^BatchNorm2d: x/);
      expect(() => new nn.BatchNorm1d(5, { device }).forward(x)).toThrow(ShapeError);
      expect(() => new nn.InstanceNorm1d(4, { device }).forward(x)).toThrow(ShapeError);
    });
  });
}
