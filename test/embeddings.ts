// Takes a backend, and gives tests of embeddings: modules, indices that only the device knows, long runs of one index.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  embedding,
  IndexOutOfRangeError,
  init,
  manualSeed,
  nn,
  noGrad,
  optim,
  sum,
  tensor,
  type Device,
  type InitOptions,
  type Tensor,
} from '../src/index.ts';
import { randomNumbers } from './calls.ts';

export function embeddingSuite(options: InitOptions): void {
  let device: Device;
  let cpu: Device;
  beforeAll(async () => {
    cpu = await init({ backend: 'cpu' });
    device = await init(options);
  });
  afterAll(() => {
    device.dispose();
  });

  const integers = (data: readonly number[], on = device): Tensor =>
    tensor([...data], { dtype: 'int32', device: on });
  /** The same, unknown to the host: as what a kernel has written. */
  const unknown = (data: readonly number[]): Tensor => {
    const made = integers(data);
    made.storage('test').forget();
    return made;
  };

  const weightGrad = async (
    indices: Tensor,
    [rows, width]: readonly [number, number],
    settings: {
      dtype?: 'float32' | 'float16';
      paddingIdx?: number;
      scaleGradByFreq?: boolean;
    } = {},
  ): Promise<number[]> => {
    const { dtype = 'float32', paddingIdx = null, scaleGradByFreq = false } = settings;
    const on = indices.device;
    const random = randomNumbers(7);
    const weight = tensor(new Float32Array(rows * width), {
      shape: [rows, width],
      dtype,
      device: on,
      requiresGrad: true,
    });
    const y = embedding(indices, weight, { paddingIdx, scaleGradByFreq });
    const upstream = Array.from({ length: y.size }, () => random() - 0.5);
    y.backward(tensor(upstream, { shape: y.shape, dtype, device: on }));
    const grad = weight.grad ? [...(await weight.grad.data())] : [];
    for (const one of [y, weight.grad, weight, indices]) one?.dispose();
    return grad;
  };

  describe('the gradient of a table', () => {
    const random = randomNumbers(3);
    const draw = (count: number, rows: number): number[] =>
      Array.from({ length: count }, () => Math.floor(random() * rows));
    const CASES: readonly (readonly [string, number[], readonly [number, number]])[] = [
      ['one index a hundred thousand times', draw(100_000, 1).map(() => 2), [4, 4]],
      ['two indices in turn', draw(5_000, 1).map((_, i) => i % 2), [3, 8]],
      ['indices of two digits', draw(3_000, 700), [700, 4]],
      ['indices of three digits', draw(2_100, 70_000), [70_000, 2]],
      ['few indices', draw(97, 5), [5, 7]],
    ];
    it.each(CASES)('of %s is the same on every run, whoever sorts', async (_, data, shape) => {
      const known = await weightGrad(integers(data), shape);
      const sorted = await weightGrad(unknown(data), shape);
      expect(sorted).toEqual(known);
      expect(await weightGrad(unknown(data), shape)).toEqual(known);
      const exact = await weightGrad(integers(data, cpu), shape);
      const off = exact.map((e, i) => Math.abs((known[i] ?? NaN) - e));
      expect(Math.max(0, ...off.slice(0, 60_000))).toBeLessThan(4e-6 * Math.sqrt(data.length));
    });

    it.each(CASES)('of %s, divided by how often each is named', async (_, data, shape) => {
      const scaled = { scaleGradByFreq: true };
      const known = await weightGrad(integers(data), shape, scaled);
      expect(await weightGrad(unknown(data), shape, scaled)).toEqual(known);
      const sums = await weightGrad(integers(data, cpu), shape);
      const counts = new Float64Array(shape[0]);
      for (const index of data) counts[index] = (counts[index] ?? NaN) + 1;
      const off = sums.map((sum, i) => {
        const row = Math.floor(i / shape[1]);
        return Math.abs((known[i] ?? NaN) - sum / Math.max(1, counts[row] ?? NaN));
      });
      expect(Math.max(0, ...off.slice(0, 60_000))).toBeLessThan(1e-6);
      const half = { dtype: 'float16', ...scaled } as const;
      const got = await weightGrad(integers(data), shape, half);
      const want = await weightGrad(integers(data, cpu), shape, half);
      const unlike = got.map((value, i) => {
        const other = want[i] ?? NaN;
        return Math.abs(value - other) - 2 ** -10 * Math.abs(other);
      });
      expect(Math.max(0, ...unlike.slice(0, 60_000))).toBeLessThan(1e-6);
    });

    it('is rounded to float16 once', async () => {
      const data = draw(400, 3);
      const settings = { dtype: 'float16', paddingIdx: 1 } as const;
      const grad = await weightGrad(unknown(data), [3, 8], settings);
      const exact = await weightGrad(integers(data, cpu), [3, 8], settings);
      grad.forEach((value, i) => {
        expect(Math.abs(value - (exact[i] ?? NaN))).toBeLessThanOrEqual(2 ** -10 * Math.abs(value));
      });
      expect(grad.slice(8, 16)).toEqual(new Array(8).fill(0));
    });
  });

  it('takes numbers for indices', async () => {
    const weight = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    expect(await embedding([1, 0, 1], weight).array()).toEqual([
      [3, 4],
      [1, 2],
      [3, 4],
    ]);
    expect(await embedding(Int32Array.of(0), weight).array()).toEqual([[1, 2]]);
    expect(embedding([], weight).shape).toEqual([0, 2]);
    expect(() => embedding([2], weight)).toThrow(IndexOutOfRangeError);
    expect(() => embedding([0.5], weight)).toThrow('embedding: indices');
    weight.dispose();
  });

  it('tells of an index out of range that only the device knows', async () => {
    const weight = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    for (const [index, width] of [
      [2, 2],
      [-1, 2],
    ] as const) {
      const indices = unknown([0, index]);
      const y = embedding(indices, weight);
      if (device.type === 'webgpu') {
        await expect(y.data()).rejects.toThrow(`indices from 0 to 1, received ${index}`);
      }
      expect(await y.array()).toEqual([[1, 2], new Array(width).fill(NaN)]);
      y.dispose();
      indices.dispose();
    }
    weight.dispose();
  });

  it('nn.Embedding scales gradients by frequency too', async () => {
    const table = tensor([[1], [2]], { device });
    const layer = nn.Embedding.fromPretrained(table, { freeze: false, scaleGradByFreq: true });
    layer.forward([0, 0, 1, 0]).backward(tensor([[1], [2], [4], [6]], { device }));
    expect(await layer.weight.grad?.array()).toEqual([[3], [4]]);
    expect(layer.scaleGradByFreq).toBe(true);
    expect(() => new nn.Embedding(2, 1, { scaleGradByFreq: 1 as never, device })).toThrow(
      'scaleGradByFreq',
    );
    layer.dispose();
  });

  describe('nn.Embedding', () => {
    it('draws from N(0, 1), with a row of zeros for the padding', async () => {
      manualSeed(5);
      const layer = new nn.Embedding(200, 50, { paddingIdx: -2, device });
      expect(layer.paddingIdx).toBe(198);
      expect(Object.keys(layer.stateDict())).toEqual(['weight']);
      const values = await layer.weight.data();
      expect([...values.slice(198 * 50, 199 * 50)]).toEqual(new Array(50).fill(0));
      const others = [...values].filter((_, i) => Math.floor(i / 50) !== 198);
      const mean = others.reduce((a, b) => a + b, 0) / others.length;
      const square = others.reduce((a, b) => a + b * b, 0) / others.length;
      expect(Math.abs(mean)).toBeLessThan(0.04);
      expect(Math.abs(square - 1)).toBeLessThan(0.06);
      expect(Math.max(...others)).toBeGreaterThan(3);
      layer.dispose();
    });

    it('learns, but for the padding', async () => {
      const weight = tensor(
        [
          [1, 2],
          [3, 4],
          [0, 0],
        ],
        { device },
      );
      const layer = nn.Embedding.fromPretrained(weight, { freeze: false, paddingIdx: 2 });
      const optimizer = new optim.SGD(layer.parameters(), { lr: 1 });
      sum(layer.forward([1, 1, 2])).backward();
      optimizer.step();
      expect(await layer.weight.array()).toEqual([
        [1, 2],
        [1, 2],
        [0, 0],
      ]);
      layer.dispose();
    });

    it('freezes a table that is there', async () => {
      const weight = tensor([[1, 2]], { device });
      const layer = nn.Embedding.fromPretrained(weight);
      expect(layer.weight).toBe(weight);
      expect(layer.forward(integers([0])).requiresGrad).toBe(false);
      expect(await noGrad(() => layer.forward([0])).array()).toEqual([[1, 2]]);
      expect(() => new nn.Embedding(2, 2, { weight })).toThrow('Embedding: weight');
      expect(() => nn.Embedding.fromPretrained(integers([0]))).toThrow('Embedding.fromPretrained');
      expect(() => new nn.Embedding(2, 2, { paddingIdx: 2, device })).toThrow('paddingIdx');
      layer.dispose();
    });
  });

  describe('nn.RotaryEmbedding', () => {
    it('turns by the position and the pair', async () => {
      const layer = new nn.RotaryEmbedding(4, { maxPositions: 9, base: 100, device });
      const data = Array.from({ length: 30 }, (_, i) => Math.sin(i));
      const x = tensor(data, { shape: [2, 3, 5], device, requiresGrad: true });
      const y = layer.from(6, x);
      y.backward(x.detach());
      const turned = (sign: number): number[] =>
        data.map((value, i) => {
          const column = i % 5;
          if (column === 4) return value;
          const angle = (6 + (Math.floor(i / 5) % 3)) * 100 ** (-(column % 2) / 2);
          const other = data[column < 2 ? i + 2 : i - 2] ?? NaN;
          return value * Math.cos(angle) + (column < 2 ? -sign : sign) * other * Math.sin(angle);
        });
      const differences = (got: ArrayLike<number>, want: readonly number[]): number[] =>
        want.map((value, i) => Math.abs((got[i] ?? NaN) - value));
      expect(Math.max(...differences(await y.data(), turned(1)))).toBeLessThan(1e-6);
      const grad = (await x.grad?.data()) ?? [];
      expect(Math.max(...differences(grad, turned(-1)))).toBeLessThan(1e-6);
      expect(layer.stateDict()).toEqual({});
      expect(() => layer.from(7, x)).toThrow('RotaryEmbedding: x');
      expect(() => layer.forward(tensor([[1, 2]], { device }))).toThrow('at least 4 columns');
      expect(() => new nn.RotaryEmbedding(3, { device })).toThrow('RotaryEmbedding: dim');
      layer.dispose();
    });

    it('has neighbours turn together where it is told so', async () => {
      const layer = new nn.RotaryEmbedding(2, { maxPositions: 2, interleaved: true, device });
      const [, [u = NaN, v = NaN] = []] = (await layer
        .forward(
          tensor(
            [
              [1, 0],
              [1, 0],
            ],
            { device },
          ),
        )
        .array()) as number[][];
      expect([u, v].map((value) => value.toFixed(6))).toEqual(
        [Math.cos(1), Math.sin(1)].map((value) => value.toFixed(6)),
      );
      layer.dispose();
    });
  });
}
