// The support ops on the CPU device against the plainest loops that say what they mean.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  add,
  div,
  dropout,
  init,
  linear,
  manualSeed,
  matmul,
  mean,
  mul,
  noGrad,
  NonlinError,
  prelu,
  reshape,
  sub,
  sum,
  tanh,
  tensor,
  type Tensor,
} from '../../src/index.ts';
import { broadcastShapes, sizeOf, stridesOf } from '../../src/core/shape.ts';
import { argumentsOf, callsOf, resultOf, type TensorSpec } from '../calls.ts';
import { Float64Device, valuesOf } from './float64-device.ts';

const device = new Float64Device();
beforeAll(async () => {
  await init({ backend: 'cpu' });
});

/** All indices of a shape, in row-major order. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (list, extent) =>
      list.flatMap((head) => Array.from({ length: extent }, (_, i) => [...head, i])),
    [[]],
  );
}

/** The element of a tensor at an index of a shape it broadcasts to. */
function elementAt({ shape, data }: TensorSpec, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  const strides = stridesOf(shape);
  const offset = own.reduce((at, i, d) => at + (shape[d] === 1 ? 0 : i) * (strides[d] ?? 0), 0);
  return data[offset] ?? NaN;
}

function spec(specs: Readonly<Record<string, TensorSpec>>, name: string): TensorSpec {
  const found = specs[name];
  if (!found) throw new Error(`no ${name}`);
  return found;
}

function expectClose(given: ArrayLike<number>, expected: readonly number[]): void {
  expect(given.length).toBe(expected.length);
  expected.forEach((e, i) => {
    const value = given[i] ?? NaN;
    if (!(
      Object.is(value, e) ||
      value === e ||
      Math.abs(value - e) <= 1e-9 * Math.max(1, Math.abs(e))
    )) {
      expect.fail(`[${i}] = ${value}, expected ${e}`);
    }
  });
}

describe('arithmetic', () => {
  const formulas = {
    add: (a: number, b: number) => a + b,
    sub: (a: number, b: number) => a - b,
    mul: (a: number, b: number) => a * b,
    div: (a: number, b: number) => a / b,
  };
  for (const [op, formula] of Object.entries(formulas)) {
    it(`${op} broadcasts`, () => {
      fc.assert(
        fc.property(callsOf(op), (call) => {
          const out = resultOf(call, argumentsOf(call, device));
          const [a, b] = [spec(call.positional, 'a'), spec(call.positional, 'b')];
          const shape = broadcastShapes(op, [a.shape, b.shape]);
          expect(out.shape).toEqual(shape);
          const expected = indices(shape).map((i) => formula(elementAt(a, i), elementAt(b, i)));
          expectClose(valuesOf(out), expected);
        }),
      );
    });
  }

  it('takes numbers on either side', async () => {
    const x = tensor([1, 2, 4]);
    expect(await add(x, 1).array()).toEqual([2, 3, 5]);
    expect(await sub(1, x).array()).toEqual([0, -1, -3]);
    expect(await mul(2, x).array()).toEqual([2, 4, 8]);
    expect(await div(x, 2).array()).toEqual([0.5, 1, 2]);
    expect(await div(8, x).array()).toEqual([8, 4, 2]);
    const w = tensor([1, 2], { requiresGrad: true });
    sum(sub(3, w)).backward();
    expect(await w.grad?.array()).toEqual([-1, -1]);
  });

  it('writes over an operand', async () => {
    const [a, b] = [tensor([1, 2]), tensor([10, 20])];
    expect(noGrad(() => add(a, b, { out: b }))).toBe(b);
    expect(await b.array()).toEqual([11, 22]);
    mul(a, a, { out: a });
    expect(await a.array()).toEqual([1, 4]);
  });
});

describe('sum and mean', () => {
  for (const op of ['sum', 'mean']) {
    it(`${op} along any dimensions`, () => {
      fc.assert(
        fc.property(callsOf(op), (call) => {
          const out = resultOf(call, argumentsOf(call, device));
          const x = spec(call.positional, 'x');
          const { dim, keepdim } = call.options as { dim?: number | number[]; keepdim?: boolean };
          const rank = x.shape.length;
          const given = dim === undefined ? [] : [dim].flat();
          // None given means all of them, as in PyTorch.
          const dims = new Set(
            given.length === 0 ? x.shape.map((_, d) => d) : given.map((d) => (d + rank) % rank),
          );
          const kept = x.shape.map((d, i) => (dims.has(i) ? 1 : d));
          expect(out.shape).toEqual(
            keepdim === true ? kept : x.shape.filter((_, i) => !dims.has(i)),
          );
          const totals = new Array<number>(sizeOf(kept)).fill(0);
          const strides = stridesOf(kept);
          for (const index of indices(x.shape)) {
            const at = index.reduce((o, i, d) => o + (dims.has(d) ? 0 : i) * (strides[d] ?? 0), 0);
            totals[at] = (totals[at] ?? NaN) + elementAt(x, index);
          }
          const count = op === 'mean' ? sizeOf(x.shape.filter((_, i) => dims.has(i))) : 1;
          expectClose(
            valuesOf(out),
            totals.map((total) => total / count),
          );
        }),
      );
    });
  }

  it('of nothing are 0 and NaN', async () => {
    const none = tensor([]);
    expect(await sum(none).item()).toBe(0);
    expect(await mean(none).item()).toBeNaN();
    expect(await sum(tensor([], { shape: [0, 2] }), { dim: 0 }).array()).toEqual([0, 0]);
    expect(await mean(tensor([], { shape: [2, 0] }), { dim: 1 }).array()).toEqual([NaN, NaN]);
  });
});

describe('reshape', () => {
  it('shares memory and infers one dimension', async () => {
    const x = tensor([1, 2, 3, 4, 5, 6]);
    expect(await reshape(x, [2, -1]).array()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(reshape(x, [-1, 1]).shape).toEqual([6, 1]);
    expect(reshape(tensor(3), []).shape).toEqual([]);
    expect(reshape(tensor(3), [1, 1]).shape).toEqual([1, 1]);
    expect(reshape(tensor([], { shape: [0, 3] }), [3, 0]).shape).toEqual([3, 0]);
    const y = reshape(x, [3, 2]);
    add(x, 1, { out: x });
    expect(await y.array()).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    x.dispose();
    expect([...(await y.data())]).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('keeps integers', async () => {
    const x = reshape(tensor([1, 2], { dtype: 'int32' }), [2, 1]);
    expect(x.dtype).toBe('int32');
    expect([...(await x.data())]).toEqual([1, 2]);
  });
});

/** a [..., m, k] times b [..., k, n], a vector standing for one row or column. */
function product(a: TensorSpec, b: TensorSpec): { shape: number[]; data: number[] } {
  const left = a.shape.length === 1 ? [1, ...a.shape] : [...a.shape];
  const right = b.shape.length === 1 ? [...b.shape, 1] : [...b.shape];
  const [m = 0, k = 0] = left.slice(-2);
  const [, n = 0] = right.slice(-2);
  const batch = broadcastShapes('matmul', [left.slice(0, -2), right.slice(0, -2)]);
  const data = indices([...batch, m, n]).map((index) => {
    const lead = index.slice(0, -2);
    const [row = 0, column = 0] = index.slice(-2);
    let total = 0;
    for (let i = 0; i < k; i++) {
      total +=
        elementAt({ ...a, shape: left, data: a.data }, [...lead, row, i]) *
        elementAt({ ...b, shape: right, data: b.data }, [...lead, i, column]);
    }
    return total;
  });
  const shape = [
    ...batch,
    ...(a.shape.length === 1 ? [] : [m]),
    ...(b.shape.length === 1 ? [] : [n]),
  ];
  return { shape, data };
}

describe('matmul', () => {
  it('multiplies matrices, vectors and batches', () => {
    fc.assert(
      fc.property(callsOf('matmul', 'smooth'), (call) => {
        const out = resultOf(call, argumentsOf(call, device));
        const { shape, data } = product(spec(call.positional, 'a'), spec(call.positional, 'b'));
        expect(out.shape).toEqual(shape);
        expectClose(valuesOf(out), data);
      }),
    );
  });

  it('has zeros where the inner dimension is empty', async () => {
    const out = matmul(tensor([], { shape: [2, 0] }), tensor([], { shape: [0, 3] }));
    expect(await out.array()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});

describe('linear', () => {
  it('is x weightᵀ + bias, then the activation', () => {
    const functions: Record<string, (v: number) => number> = {
      relu: (v) => Math.max(v, 0),
      tanh: Math.tanh,
    };
    fc.assert(
      fc.property(callsOf('linear', 'smooth'), (call) => {
        const out = resultOf(call, argumentsOf(call, device));
        const [x, weight] = [spec(call.positional, 'x'), spec(call.positional, 'weight')];
        const [features = 0, inputs = 0] = weight.shape;
        const { activation } = call.options;
        const f = typeof activation === 'string' ? functions[activation] : (v: number) => v;
        if (!f) throw new Error(`no reference for ${String(activation)}`);
        const shape = [...x.shape.slice(0, -1), features];
        expect(out.shape).toEqual(shape);
        const expected = indices(shape).map((index) => {
          const feature = index.at(-1) ?? 0;
          let total = call.optional.bias?.data[feature] ?? 0;
          for (let i = 0; i < inputs; i++) {
            total += elementAt(x, [...index.slice(0, -1), i]) * elementAt(weight, [feature, i]);
          }
          return f(total);
        });
        expectClose(valuesOf(out), expected);
      }),
    );
  });

  it('passes options on to the activation', async () => {
    const { leakyRelu } = await import('../../src/index.ts');
    const x = tensor([[-2]]);
    const y = linear(x, tensor([[1]]), {
      activation: leakyRelu,
      activationOptions: { negativeSlope: 0.5 },
    });
    expect(await y.array()).toEqual([[-1]]);
    expect(await linear(x, tensor([[0.5]]), { activation: tanh }).array()).toEqual([
      [Math.fround(Math.tanh(-1))],
    ]);
  });
});

describe('prelu', () => {
  it.each([
    ['[1]', [2, 1], 'expected shape [1], or two dimensions or more that broadcast to x'],
    ['[1]', [4], 'expected shape [1], or two dimensions or more that broadcast to x'],
    ['[1] or [3]', [2, 3], 'expected shape [1] or [3] (the channels of x), or two dimensions'],
  ])('says that a weight of four has to be of shape %s for x of %j', (_, shape, words) => {
    const x = tensor(new Float32Array(shape.reduce((n, d) => n * d, 1)), { shape });
    expect(() => prelu(x, tensor([1, 2, 3, 4]))).toThrow(words);
  });
});

describe('linear with prelu', () => {
  const x = (): Tensor => tensor([[-2, 1]]);
  const weight = (): Tensor =>
    tensor([
      [1, 0],
      [0, 1],
    ]);

  it('takes its weight as an option', async () => {
    const slopes = tensor([0.5, 0.25]);
    const y = linear(x(), weight(), {
      activation: prelu,
      activationOptions: { weight: slopes },
    });
    expect(await y.array()).toEqual([[-1, 1]]);
  });

  it.each([
    ['nothing', () => undefined],
    ['a number', () => ({ weight: 0.5 })],
    ['another option', () => ({ weight: tensor([0.5]), slope: 1 })],
    ['another length', () => ({ weight: tensor([1, 2, 3]) })],
  ])('refuses %s', (_, options) => {
    expect(() =>
      linear(x(), weight(), { activation: prelu, activationOptions: options() as never }),
    ).toThrow(NonlinError);
  });
});

describe('dropout', () => {
  const ones = (): Tensor => tensor(new Float32Array(20_000).fill(1), { requiresGrad: true });

  it('drops about the share asked for and scales the rest', async () => {
    for (const p of [0.1, 0.5, 0.9]) {
      manualSeed(11);
      const values = await dropout(ones(), { p }).data();
      const kept = values.filter((value) => value !== 0);
      expect(kept.length / values.length).toBeCloseTo(1 - p, 1);
      expect(Math.abs(kept.length / values.length - (1 - p))).toBeLessThan(0.015);
      expect([...new Set(kept)]).toEqual([Math.fround(1 / (1 - p))]);
    }
  });

  it('has a gradient where it kept', async () => {
    const x = ones();
    const y = dropout(x, { p: 0.3 });
    sum(y).backward();
    expect([...((await x.grad?.data()) ?? [])]).toEqual([...(await y.data())]);
  });

  it('repeats with the seed and differs from call to call', async () => {
    manualSeed(4);
    const first = [...(await dropout(ones()).data())];
    const second = [...(await dropout(ones()).data())];
    manualSeed(4);
    expect([...(await dropout(ones()).data())]).toEqual(first);
    expect(second).not.toEqual(first);
  });

  it('drops nothing or everything at the ends, and nothing in evaluation', async () => {
    const x = tensor([1, 2, 3]);
    expect(await dropout(x, { p: 0 }).array()).toEqual([1, 2, 3]);
    expect(await dropout(x, { p: 1 }).array()).toEqual([0, 0, 0]);
    expect(await dropout(x, { training: false }).array()).toEqual([1, 2, 3]);
  });
});
