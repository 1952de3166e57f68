// Norms on any device: what the generic tests of ops do not see. Rows far from 0, few long and many short ones, which gradients are
// computed, modules.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  add,
  addLayerNorm,
  addRmsNorm,
  init,
  layerNorm,
  nn,
  OptionError,
  rmsNorm,
  ShapeError,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import architecture from '../ARCHITECTURE.md?raw';
import { defineNorm } from '../src/define/norm.ts';
import { sqrt } from '../src/shader/lib.ts';
import { openOn, type Wanted } from './open.ts';
import { inParts } from './parts.ts';

/** The norm that ARCHITECTURE.md shows how to add: a row over the mean of its magnitudes, times a weight. */
const magnitudeNorm = defineNorm({
  name: 'magnitudeNorm',
  wgsl: /```wgsl\n(\/\/ requires: Operands[^]*?)```/.exec(architecture)?.[1] ?? '',
  operands: { weight: { absent: 1, saved: true } },
  degree: 1,
  eps: 1e-5,
  forward: ({ x, weight }, eps, y) => {
    const size = x.reduce((sum, v) => sum + Math.abs(v), 0) / x.length + eps;
    for (const [i, v] of x.entries()) y[i] = (v / size) * (weight[i] ?? NaN);
  },
  backward: ({ x, weight }, eps, gradOutput, grads) => {
    const size = x.reduce((sum, v) => sum + Math.abs(v), 0) / x.length + eps;
    const mean = x.reduce(
      (sum, v, i) => sum + ((gradOutput[i] ?? NaN) * (weight[i] ?? NaN) * v) / size / x.length,
      0,
    );
    for (const [i, v] of x.entries()) {
      const g = gradOutput[i] ?? NaN;
      grads.x[i] = (g * (weight[i] ?? NaN) - Math.sign(v) * mean) / size;
      grads.weight[i] = (grads.weight[i] ?? NaN) + (g * v) / size;
    }
  },
});

/** One whose terms grow with the fourth power: a row over the fourth root of its mean. */
const quarticNorm = defineNorm({
  name: 'quarticNorm',
  wgsl: `
//#include "lib/sqrt.wgsl"
const centred = false;
fn term(d: vec4f) -> vec4f { return d * d * d * d; }
fn factor_of(mean: f32, shift: f32, scale: f32, eps: f32) -> f32 {
  return nl_reciprocal(nl_sqrt(nl_sqrt(mean + eps * scale * scale * scale * scale)));
}
fn forward(z: vec4f, o: Operands) -> vec4f { return z * o.weight; }
fn backward_terms(z: vec4f, g: vec4f, o: Operands) -> Terms { return Terms(vec4f(), g * o.weight * z); }
fn backward(z: vec4f, g: vec4f, o: Operands, means: vec2f) -> vec4f { return g * o.weight - z * z * z * means.y; }
fn operand_terms(z: vec4f, g: vec4f) -> Operands { return Operands(g * z); }`,
  includes: [sqrt],
  operands: { weight: { absent: 1, saved: true } },
  degree: 4,
  eps: 1e-5,
  forward: ({ x, weight }, eps, y) => {
    const size = (x.reduce((sum, v) => sum + v ** 4, 0) / x.length + eps) ** 0.25;
    for (const [i, v] of x.entries()) y[i] = (v / size) * (weight[i] ?? NaN);
  },
  backward: ({ x, weight }, eps, gradOutput, grads) => {
    const size = (x.reduce((sum, v) => sum + v ** 4, 0) / x.length + eps) ** 0.25;
    const mean = x.reduce(
      (sum, v, i) => sum + ((gradOutput[i] ?? NaN) * (weight[i] ?? NaN) * v) / size / x.length,
      0,
    );
    for (const [i, v] of x.entries()) {
      const g = gradOutput[i] ?? NaN;
      grads.x[i] = (g * (weight[i] ?? NaN) - (v / size) ** 3 * mean) / size;
      grads.weight[i] = (grads.weight[i] ?? NaN) + (g * v) / size;
    }
  },
});

/** Mean and deviation of a row in float64. */
function statisticsOf(row: Float64Array): { mean: number; deviation: number } {
  const mean = row.reduce((sum, v) => sum + v, 0) / row.length;
  const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
  return { mean, deviation: Math.sqrt(variance) };
}

const noise = (length: number, seed = 1): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898));

export function normSuite(backend: 'cpu' | 'webgpu', wanted?: Wanted): void {
  let device: Device;
  beforeAll(async () => {
    device = await openOn(backend, wanted);
  });
  afterAll(() => {
    device.dispose();
  });

  const leaf = (data: ArrayLike<number>, shape: readonly number[]): Tensor =>
    tensor(Float32Array.from(data), { shape, device, requiresGrad: true });

  it.each([
    ['one element', 7, 1],
    ['a few', 5, 3],
    ['in registers', 3, 4096],
    ['with a tail', 2, 4101],
    ['many', 2, 50_257],
    ['in many short rows', 4096, 24],
  ] as const)('layerNorm is right far from 0: %s', async (_, rows, n) => {
    // 0.06 apart, 1e6 from 0: float32 holds these, not their squares.
    const x = Float64Array.from(
      { length: rows * n },
      (_, i) => 1e6 + Math.floor(((i * 7) % 11) / 9) / 16,
    );
    const y = await layerNorm(leaf(x, [rows, n]), [n], { eps: 1e-12 }).data();
    let worst = 0;
    for (let r = 0; r < Math.min(rows, 5); r++) {
      const row = x.subarray(r * n, r * n + n);
      const { mean, deviation } = statisticsOf(row);
      const factor = 1 / Math.sqrt(deviation ** 2 + 1e-12);
      row.forEach((v, i) => {
        const e = (v - mean) * factor;
        // Half a ULP of what is left of the mean, beside that of the result.
        const allowed = 4e-7 * Math.abs(e) + 2 ** -24 * factor * 1e-3;
        worst = Math.max(worst, Math.abs((y[r * n + i] ?? NaN) - e) / allowed);
      });
    }
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('rows of the largest numbers, and constant ones, are as exact as any', async () => {
    const n = 100;
    const rows = [(i: number) => (i % 2 ? 3.4e38 : -3.4e38), () => 3.4e38, () => -1e9, () => 0];
    const x = leaf(
      rows.flatMap((value) => Array.from({ length: n }, (_, i) => value(i))),
      [4, n],
    );
    const y = layerNorm(x, [n]);
    y.backward(tensor(Float32Array.from(noise(4 * n)), { shape: [4, n], device }));
    const values = await y.data();
    expect(Math.max(...values.subarray(0, n).map((v) => Math.abs(Math.abs(v) - 1)))).toBeLessThan(
      1e-6,
    );
    expect([...values.subarray(n)].every((v) => v === 0)).toBe(true);
    const grad = (await x.grad?.data()) ?? new Float32Array();
    const upstream = noise(4 * n);
    for (const r of [1, 2, 3]) {
      const { mean } = statisticsOf(upstream.subarray(r * n, r * n + n));
      for (let i = r * n; i < (r + 1) * n; i++) {
        expect(grad[i]).toBeCloseTo(((upstream[i] ?? NaN) - mean) / Math.sqrt(1e-5), 2);
      }
    }
  });

  it('a mean further from the first element than float32 reaches', async () => {
    const row = [-3.4e38, 3.4e38, 1.9e38].map(Math.fround);
    const y = await layerNorm(leaf(row, [1, 3]), [3]).data();
    const { mean, deviation } = statisticsOf(Float64Array.from(row));
    row.forEach((v, i) => {
      expect(y[i]).toBeCloseTo((v - mean) / deviation, 5);
    });
  });

  it('the gradients of operands are sums over all rows, the same each time', async () => {
    const [rows, n] = [3000, 18];
    const [x, g] = [noise(rows * n), noise(rows * n, 5)];
    const sums = async (): Promise<number[]> => {
      const weight = leaf(noise(n, 3), [n]);
      const bias = leaf(noise(n, 4), [n]);
      const y = layerNorm(tensor(Float32Array.from(x), { shape: [rows, n], device }), [n], {
        weight,
        bias,
      });
      y.backward(tensor(Float32Array.from(g), { shape: [rows, n], device }));
      return [...((await weight.grad?.data()) ?? []), ...((await bias.grad?.data()) ?? [])];
    };
    const want = new Float64Array(2 * n);
    for (let r = 0; r < rows; r++) {
      const { mean, deviation } = statisticsOf(x.subarray(r * n, r * n + n));
      const factor = 1 / Math.sqrt(deviation ** 2 + 1e-5);
      for (let i = 0; i < n; i++) {
        const up = g[r * n + i] ?? NaN;
        want[i] = (want[i] ?? 0) + up * ((x[r * n + i] ?? NaN) - mean) * factor;
        want[n + i] = (want[n + i] ?? 0) + up;
      }
    }
    const first = await sums();
    first.forEach((v, i) => {
      expect(Math.abs(v - (want[i] ?? NaN))).toBeLessThan(2e-4);
    });
    expect(await sums()).toEqual(first);
  });

  it('what is frozen has no gradient, and what is learned has the same without the others', async () => {
    const [x, w, b, g] = [noise(60), noise(12, 2), noise(12, 3), noise(60, 4)];
    const grads = async (learned: readonly boolean[]): Promise<(number[] | null)[]> => {
      const tensors = [leaf(x, [5, 12]), leaf(w, [12]), leaf(b, [12])];
      tensors.forEach((one, i) => (one.requiresGrad = learned[i] ?? false));
      const [input, weight, bias] = tensors;
      if (!input || !weight || !bias) throw new Error('no tensors');
      layerNorm(input, [12], { weight, bias }).backward(
        tensor(Float32Array.from(g), { shape: [5, 12], device }),
      );
      return Promise.all(
        tensors.map(async (one) => (one.grad ? [...(await one.grad.data())] : null)),
      );
    };
    const all = await grads([true, true, true]);
    for (const learned of [
      [true, false, false],
      [false, true, false],
      [false, false, true],
      [true, false, true],
    ]) {
      expect(await grads(learned)).toEqual(all.map((grad, i) => (learned[i] ? grad : null)));
    }
  });

  it('a row of nothing, and no rows, have gradients of zeros', async () => {
    const weight = leaf([1, 2, 3], [3]);
    const y = layerNorm(leaf([], [0, 3]), [3], { weight });
    y.backward(tensor(new Float32Array(), { shape: [0, 3], device }));
    expect(await weight.grad?.array()).toEqual([0, 0, 0]);
    expect(rmsNorm(leaf([], [2, 0]), [0]).shape).toEqual([2, 0]);
  });

  it.each([
    ['as ARCHITECTURE.md says', magnitudeNorm, 1],
    ['of fourth powers', quarticNorm, 1],
    ['of fourth powers, of small elements', quarticNorm, 2 ** -60],
    ['of fourth powers, of large elements', quarticNorm, 2 ** 60],
  ] as const)('a norm declared %s', async (_, norm, size) => {
    const cpu = await init({ backend: 'cpu' });
    for (const [rows, n] of [
      [5, 7],
      [3, 300],
      [2, 20_000],
    ] as const) {
      const x = noise(rows * n).map((v) => v * size);
      const [w, g] = [noise(n, 2), noise(rows * n, 3)];
      const results = await Promise.all(
        [device, cpu].map(async (on) => {
          const place = (data: Float64Array, shape: readonly number[]): Tensor =>
            tensor(Float32Array.from(data), { shape, device: on, requiresGrad: true });
          const [input, weight] = [place(x, [rows, n]), place(w, [n])];
          const y = norm(input, [n], { weight });
          y.backward(place(g, [rows, n]).detach());
          return Promise.all([y.data(), input.grad?.data(), weight.grad?.data()]);
        }),
      );
      const [got, want] = results;
      want?.forEach((values, k) => {
        const all = Array.from<number>(values ?? []);
        const largest = all.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        const worst = all.reduce(
          (most, v, i) => Math.max(most, Math.abs(v - (got?.[k]?.[i] ?? NaN))),
          0,
        );
        expect(largest).toBeGreaterThan(0);
        expect(worst / largest).toBeLessThan(3e-6);
      });
    }
    cpu.dispose();
  });

  const SUMS = [
    ['float32', [5, 12]],
    ['float32', [3, 4101]],
    ['float32', [2, 20_001]],
    ['float16', [5, 12]],
    ['float16', [4, 7]],
  ] as const;
  for (const [cases, options] of inParts(SUMS, 3)) {
    it.each(cases)(
      'a sum and its norm are those of two calls: %s, %j',
      options,
      async (dtype, shape) => {
        const [rows, n] = shape;
        const make = (seed: number, own: readonly number[], grad = true): Tensor =>
          tensor(
            Float32Array.from(noise(rows * n, seed).subarray(0, own.length === 1 ? n : rows * n)),
            {
              shape: own,
              dtype,
              device,
              requiresGrad: grad,
            },
          );
        const results: number[][][] = [];
        for (const fused of [true, false]) {
          const [x, residual, weight, bias] = [
            make(1, shape),
            make(2, shape),
            make(3, [n]),
            make(4, [n]),
          ];
          const sum = fused ? undefined : add(x, residual);
          const own = sum && { sum, output: layerNorm(sum, [n], { weight, bias }) };
          const pair = own ?? addLayerNorm(x, residual, [n], { weight, bias });
          const root = fused
            ? addRmsNorm(pair.output, pair.sum, [n]).output
            : rmsNorm(add(pair.output, pair.sum), [n]);
          root.backward(make(5, shape, false));
          const all = [pair.output, pair.sum, root, x.grad, residual.grad, weight.grad, bias.grad];
          results.push(await Promise.all(all.map(async (one) => [...((await one?.data()) ?? [])])));
        }
        const [got, want] = results;
        expect(want?.every((values) => values.some((v) => v !== 0))).toBe(true);
        expect(got).toEqual(want);
      },
    );
  }

  it('a sum and its norm refuse other shapes, and record nothing for nothing', async () => {
    const x = leaf(noise(24), [4, 6]);
    for (const wrong of [[4, 5], [6], [1, 6]])
      expect(() =>
        addRmsNorm(x, leaf(noise(wrong.reduce((a, b) => a * b, 1)), wrong).detach(), [6]),
      ).toThrow(ShapeError);
    expect(() => addLayerNorm(x, x, [4])).toThrow(/^addLayerNorm: normalizedShape/);
    expect(() => addRmsNorm(x, x, [6], { out: x } as object)).toThrow(OptionError);
    const plain = addRmsNorm(x.detach(), x.detach(), [6]);
    expect(plain.output.requiresGrad || plain.sum.requiresGrad).toBe(false);
    // Through one of both alone.
    addLayerNorm(x, x.detach(), [6]).sum.backward(leaf(noise(24, 9), [4, 6]).detach());
    expect([...((await x.grad?.data()) ?? [])]).toEqual([...Float32Array.from(noise(24, 9))]);
  });

  describe('modules', () => {
    it('have the parameters and the state of PyTorch', async () => {
      const full = new nn.LayerNorm([2, 3], { device });
      expect(full.namedParameters().map(([name, { shape }]) => [name, shape])).toEqual([
        ['weight', [2, 3]],
        ['bias', [2, 3]],
      ]);
      expect(await full.weight?.array()).toEqual([
        [1, 1, 1],
        [1, 1, 1],
      ]);
      expect(await full.bias?.array()).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
      expect(Object.keys(new nn.LayerNorm(3, { bias: false, device }).stateDict())).toEqual([
        'weight',
      ]);
      const plain = new nn.LayerNorm(3, { elementwiseAffine: false, device });
      expect(plain.parameters()).toEqual([]);
      expect(plain.weight).toBeNull();
      expect(Object.keys(new nn.RMSNorm(3, { device }).stateDict())).toEqual(['weight']);
    });

    it('compute what the functions do', async () => {
      const data = Float32Array.from(noise(24));
      const x = tensor(data, { shape: [4, 6], device });
      const [weight, bias] = [noise(6, 2), noise(6, 3)].map((v) =>
        tensor(Float32Array.from(v), { device }),
      );
      if (!weight || !bias) throw new Error('no tensors');
      const layer = new nn.LayerNorm(6, { eps: 0.5, device });
      layer.loadStateDict({ weight, bias });
      const root = new nn.RMSNorm([6], { eps: 0.5, device });
      root.loadStateDict({ weight });
      expect(await layer.forward(x).array()).toEqual(
        await layerNorm(x, [6], { weight, bias, eps: 0.5 }).array(),
      );
      expect(await root.forward(x).array()).toEqual(
        await rmsNorm(x, [6], { weight, eps: 0.5 }).array(),
      );
      layer.forward(x).backward(x);
      expect(layer.weight?.grad?.shape).toEqual([6]);
      expect(layer.bias?.grad?.shape).toEqual([6]);
    });

    it('in float16', async () => {
      const layer = new nn.LayerNorm(5, { device, dtype: 'float16' });
      const x = tensor([1, 2, 3, 4, 5], { shape: [1, 5], device, dtype: 'float16' });
      const y = layer.forward(x);
      expect(y.dtype).toBe('float16');
      y.backward(x);
      expect(layer.bias?.grad?.dtype).toBe('float16');
      expect(await layer.bias?.grad?.array()).toEqual([1, 2, 3, 4, 5]);
    });

    it('refuse what they do not take', () => {
      const make = (shape: unknown, given?: unknown) => () =>
        Reflect.construct(nn.LayerNorm, [shape, given]) as unknown;
      for (const shape of [[], -1, 1.5, 'x', null, undefined, [2, -1]]) {
        expect(make(shape)).toThrow(ShapeError);
        expect(make(shape)).toThrow(/^LayerNorm: normalizedShape/);
      }
      for (const given of [
        { eps: -1 },
        { eps: '1' },
        { bias: 1 },
        { elementwiseAffine: null },
        { affine: true },
      ])
        expect(make(3, given)).toThrow(OptionError);
      expect(() => new nn.RMSNorm(3, { bias: true, device } as object)).toThrow(OptionError);
      expect(() => new nn.LayerNorm(3, { device }).forward(tensor([[1, 2]], { device }))).toThrow(
        ShapeError,
      );
    });
  });
}
