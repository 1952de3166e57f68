import { beforeEach, describe, expect, it } from 'vitest';
import {
  AutogradError,
  DeviceMismatchError,
  DisposedError,
  DTypeError,
  init,
  leakyRelu,
  mseLoss,
  noGrad,
  NonlinError,
  OptionError,
  prelu,
  relu,
  ShapeError,
  sigmoid,
  tanh,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';

let device: Device;
beforeEach(async () => {
  device = await init({ backend: 'cpu' });
});

const leaf = (data: number[], dtype: 'float32' | 'float16' = 'float32'): Tensor =>
  tensor(data, { requiresGrad: true, dtype });
const slope = (x: Tensor, negativeSlope: number): Tensor => leakyRelu(x, { negativeSlope });
/** Sum of squares: gradient 2 x. */
const squares = (x: Tensor): Tensor =>
  mseLoss(x, tensor(new Float32Array(x.size), { shape: x.shape }), { reduction: 'sum' });
const gradOf = async (x: Tensor): Promise<number[]> => [...((await x.grad?.data()) ?? [])];

describe('recording', () => {
  it('follows inputs that need a gradient, and only those', () => {
    expect(relu(tensor([1])).requiresGrad).toBe(false);
    expect(relu(leaf([1])).requiresGrad).toBe(true);
    expect(relu(relu(leaf([1]))).requiresGrad).toBe(true);
    expect(mseLoss(tensor([1]), leaf([1])).requiresGrad).toBe(true);
  });

  it('stops under noGrad, which nests and ends when its function throws', () => {
    const x = leaf([1]);
    expect(noGrad(() => relu(x)).requiresGrad).toBe(false);
    expect(
      noGrad(() => {
        noGrad(() => {});
        return relu(x).requiresGrad;
      }),
    ).toBe(false);
    expect(() =>
      noGrad(() => {
        throw new TypeError('mine');
      }),
    ).toThrow('mine');
    expect(relu(x).requiresGrad).toBe(true);
  });

  it('refuses gradients of integers', () => {
    const x = tensor([1], { dtype: 'int32' });
    expect(() => {
      x.requiresGrad = true;
    }).toThrow(DTypeError);
  });
});

describe('backward', () => {
  it('starts with 1 for a scalar', async () => {
    const x = leaf([3, -4]);
    squares(x).backward();
    expect(await gradOf(x)).toEqual([6, -8]);
  });

  it('starts with 1 for a tensor of one element, whatever its rank', async () => {
    const x = tensor([[3]], { requiresGrad: true });
    slope(x, 2).backward();
    expect(await x.grad?.array()).toEqual([[1]]);
  });

  it('starts with the gradient it is given', async () => {
    const x = leaf([3, -4]);
    slope(x, 0.5).backward(tensor([10, 100]));
    expect(await gradOf(x)).toEqual([10, 50]);
  });

  it('of a leaf itself adds to its gradient', async () => {
    const x = leaf([5]);
    x.backward();
    expect(await gradOf(x)).toEqual([1]);
    x.backward(tensor([3]));
    expect(await gradOf(x)).toEqual([4]);
    const y = leaf([1, 2]);
    const given = tensor([7, 8]);
    y.backward(given);
    y.backward(given);
    expect(await gradOf(y)).toEqual([14, 16]);
    // The caller's tensor is not what is added to.
    expect(await given.array()).toEqual([7, 8]);
  });

  it('adds up over a diamond', async () => {
    const x = leaf([1, -2]);
    const a = slope(x, 3);
    // Both branches come from `a`; their gradients meet there before they go on to x.
    const loss = mseLoss(slope(a, 2), slope(a, 5), { reduction: 'sum' });
    loss.backward();
    // a = [1, -6]; d = b - c = [0, -12 + 30] = [0, 18]; dloss/da = 2 d (2 - 5) = -108; dx = 3 da
    expect(await gradOf(x)).toEqual([0, -324]);
  });

  it('adds up over nested diamonds with uneven paths', async () => {
    const x = leaf([-1]);
    const a = slope(x, 2);
    const long = slope(slope(slope(a, 3), 0.5), 2);
    const loss = mseLoss(long, a, { reduction: 'sum' });
    loss.backward();
    // a = -2, long = 3 a = -6: loss = (2 a)^2, dloss/da = 8 a = -16, dx = -32
    expect(await gradOf(x)).toEqual([-32]);
  });

  it('adds up a tensor used twice in one op', async () => {
    const x = leaf([-0.5]);
    prelu(x, x).backward();
    // x² below 0
    expect(await gradOf(x)).toEqual([-1]);
    const y = leaf([3]);
    mseLoss(y, y, { reduction: 'none' }).backward(tensor([1]));
    expect(await gradOf(y)).toEqual([0]);
  });

  it('adds to a gradient that is there', async () => {
    const x = leaf([3, -4]);
    squares(x).backward();
    const first = x.grad;
    squares(x).backward();
    expect(await gradOf(x)).toEqual([12, -16]);
    expect(x.grad).toBe(first);
    x.grad = null;
    squares(x).backward();
    expect(await gradOf(x)).toEqual([6, -8]);
  });

  it('gives tensors that share an upstream gradient a gradient each', async () => {
    const x = leaf([1, 2]);
    const y = slope(x, 1);
    const up = tensor([1, 1]);
    y.backward(up, { retainGraph: true });
    y.backward(up);
    expect(await gradOf(x)).toEqual([2, 2]);
    expect(await up.array()).toEqual([1, 1]);
    const [a, b] = [leaf([1]), leaf([0])];
    const loss = mseLoss(a, b, { reduction: 'sum' });
    loss.backward();
    loss.dispose();
    squares(a).backward();
    expect(await gradOf(a)).toEqual([4]);
    expect(await gradOf(b)).toEqual([-2]);
  });

  it('does not reach tensors without requiresGrad, nor past detach', async () => {
    const x = leaf([2]);
    const w = tensor([0.5]);
    mseLoss(prelu(x, w), tensor([0]), { reduction: 'sum' }).backward();
    expect(w.grad).toBeNull();
    const y = slope(x, 1);
    expect(y.detach().requiresGrad).toBe(false);
    x.grad = null;
    mseLoss(y.detach(), slope(x, 1), { reduction: 'none' }).backward(tensor([1]));
    expect(await gradOf(x)).toEqual([-0]);
  });

  it('gives only leaves a gradient', () => {
    const x = leaf([2]);
    const y = slope(x, 1);
    squares(y).backward();
    expect(y.grad).toBeNull();
    expect(x.grad).not.toBeNull();
  });

  it('works after intermediates are disposed', async () => {
    const x = leaf([0.5, -0.25]);
    const a = tanh(x);
    const b = sigmoid(a);
    const loss = squares(b);
    const values = await b.data();
    const tanhs = await a.data();
    a.dispose();
    b.dispose();
    loss.backward();
    const grad = await gradOf(x);
    grad.forEach((g, i) => {
      const [s = NaN, t = NaN] = [values[i], tanhs[i]];
      expect(g).toBeCloseTo(2 * s * s * (1 - s) * (1 - t * t), 6);
    });
  });

  it('goes on while a device scope or loss is disposed afterwards, leaving no memory', () => {
    const x = leaf([0.5, -0.25]);
    const zero = tensor([0, 0]);
    const before = device.stats().liveBuffers;
    const a = tanh(x);
    const loss = mseLoss(a, zero);
    loss.backward();
    a.dispose();
    loss.dispose();
    x.grad?.dispose();
    x.grad = null;
    expect(device.stats().liveBuffers).toBe(before);
  });

  it('leaves no memory where the graph is dropped without backward', () => {
    const x = leaf([0.5, -0.25]);
    const before = device.stats().liveBuffers;
    const a = tanh(x);
    const b = sigmoid(a);
    const c = mseLoss(b, a);
    b.dispose();
    a.dispose();
    // The loss's graph still holds both.
    expect(device.stats().liveBuffers).toBeGreaterThan(before + 2);
    c.dispose();
    expect(device.stats().liveBuffers).toBe(before);
  });

  it('frees the graph, once', async () => {
    const x = leaf([2]);
    const loss = squares(slope(x, 1));
    loss.backward();
    expect(() => {
      loss.backward();
    }).toThrow(AutogradError);
    expect(() => {
      loss.backward();
    }).toThrow(/retainGraph/);
    expect(await gradOf(x)).toEqual([4]);
  });

  it('keeps the graph with retainGraph', async () => {
    const x = leaf([2]);
    const loss = squares(slope(x, 1));
    loss.backward(undefined, { retainGraph: true });
    loss.backward(undefined, { retainGraph: true });
    loss.backward();
    expect(await gradOf(x)).toEqual([12]);
    expect(() => {
      loss.backward();
    }).toThrow(AutogradError);
  });

  it('refuses a part of the graph that is gone', () => {
    const x = leaf([2]);
    const a = slope(x, 1);
    squares(a).backward();
    expect(() => {
      squares(a).backward();
    }).toThrow(AutogradError);
  });

  it('refuses saved tensors that were written to since', () => {
    const x = leaf([2, -1]);
    const frozen = x.detach();
    const loss = squares(tanh(x));
    relu(frozen, { out: frozen });
    expect(() => {
      loss.backward();
    }).toThrow(AutogradError);
    expect(x.grad).toBeNull();
  });

  it('allows a tensor that is not saved to be written to', async () => {
    const x = leaf([2, -1]);
    const target = tensor([0, 0]);
    const loss = mseLoss(slope(x, 0.5), target, { reduction: 'sum' });
    const unrelated = tensor([1, 1]);
    relu(unrelated, { out: unrelated });
    loss.backward();
    expect(await gradOf(x)).toEqual([4, -0.5]);
  });

  it('does not record writing into out, and refuses it where a gradient is needed', () => {
    const x = leaf([2]);
    expect(() => relu(x, { out: tensor([0]) })).toThrow(OptionError);
    expect(() => relu(tensor([1]), { out: x })).toThrow(OptionError);
    expect(noGrad(() => relu(x, { out: tensor([0]) })).requiresGrad).toBe(false);
  });

  it('refuses what has no gradient, and gradients that do not fit', async () => {
    const x = leaf([1, 2]);
    const y = relu(x);
    expect(() => {
      tensor([1]).backward();
    }).toThrow(AutogradError);
    expect(() => {
      y.backward();
    }).toThrow(AutogradError);
    expect(() => {
      y.backward(tensor([1]));
    }).toThrow(ShapeError);
    expect(() => {
      y.backward(tensor([1, 2], { dtype: 'int32' }));
    }).toThrow(DTypeError);
    expect(() => {
      y.backward(tensor([1, 2], { dtype: 'float16' }));
    }).toThrow(DTypeError);
    expect(() => {
      y.backward([1, 2] as unknown as Tensor);
    }).toThrow(DTypeError);
    const other = await init({ backend: 'cpu' });
    expect(() => {
      y.backward(tensor([1, 2], { device: other }));
    }).toThrow(DeviceMismatchError);
    const gone = tensor([1, 2], { device });
    gone.dispose();
    expect(() => {
      y.backward(gone);
    }).toThrow(DisposedError);
    y.dispose();
    expect(() => {
      y.backward(gone);
    }).toThrow(DisposedError);
    expect(x.grad).toBeNull();
  });

  it('flows through empty tensors', async () => {
    const x = leaf([]);
    sigmoid(x).backward(tensor([]));
    expect(x.grad?.shape).toEqual([0]);
    expect(await gradOf(x)).toEqual([]);
  });

  it('keeps the dtype', async () => {
    const x = leaf([0.3, -2], 'float16');
    const target = tensor([0, 0], { dtype: 'float16' });
    mseLoss(x, target, { reduction: 'sum' }).backward();
    expect(x.grad?.dtype).toBe('float16');
    const [a = NaN] = await x.data();
    expect((await gradOf(x))[0]).toBe(2 * a);
  });

  it('goes through a deep graph without recursion', async () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 20_000; i++) y = slope(y, 1);
    y.backward();
    expect(await gradOf(x)).toEqual([1]);
    y.dispose();
  });

  it('does not explode on many diamonds', async () => {
    const x = leaf([1]);
    let y = x;
    // 2^60 paths.
    for (let i = 0; i < 60; i++) y = mseLoss(y, y.detach(), { reduction: 'none' });
    const start = performance.now();
    let z = leaf([-1]);
    const first = z;
    for (let i = 0; i < 30; i++) z = prelu(z, z);
    z.backward();
    expect(performance.now() - start).toBeLessThan(5000);
    expect(first.grad).not.toBeNull();
    y.backward();
    expect(await gradOf(x)).toEqual([0]);
  });

  it('keeps the state of autograd when a backward fails', () => {
    const x = leaf([1, 2]);
    const loss = squares(tanh(x));
    const view = x.detach();
    relu(view, { out: view });
    expect(() => {
      loss.backward();
    }).toThrow(NonlinError);
    // Recording goes on.
    expect(relu(x).requiresGrad).toBe(true);
  });
});
