import { beforeEach, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/index.ts';
import {
  init,
  leakyRelu,
  mseLoss,
  OptionError,
  relu,
  scope,
  tensor,
  type Device,
} from '../../src/index.ts';

let device: Device;
beforeEach(async () => {
  device = await init({ backend: 'cpu' });
});
const live = (): number => device.stats().liveBuffers;

describe('scope', () => {
  it('frees intermediates and keeps the result', async () => {
    const x = tensor([-1, 2]);
    let inner: Tensor | undefined;
    const y = scope(() => {
      inner = relu(x);
      return leakyRelu(inner);
    });
    expect(inner?.disposed).toBe(true);
    expect(x.disposed).toBe(false);
    expect([...(await y.data())]).toEqual([0, 2]);
    expect(live()).toBe(2);
  });

  it('keeps tensors in arrays and plain objects, however deep', () => {
    const kept = scope(() => {
      const [a, b, c, d] = [tensor([1]), tensor([2]), tensor([3]), tensor([4])];
      tensor([5]);
      return { a, list: [b, { c, n: 1 }], d: [[d]], text: 'x', nothing: null };
    });
    expect(live()).toBe(4);
    expect(kept.a.disposed).toBe(false);
    expect(kept.d[0]?.[0]?.disposed).toBe(false);
  });

  it('keeps tensors in Maps, Sets and objects without a prototype', () => {
    const kept = scope(() => {
      const bare = Object.create(null) as Record<string, Tensor>;
      bare.a = tensor([1]);
      const key = tensor([2]);
      const map = new Map<unknown, unknown>([[key, new Set([tensor([3])])]]);
      tensor([4]);
      return { bare, map };
    });
    expect(live()).toBe(3);
    expect(kept.bare.a?.disposed).toBe(false);
  });

  it('keeps tensors once in what is shared, circular or deep', () => {
    interface Ring {
      readonly x: Tensor;
      self?: Ring;
    }
    const ring = scope(() => {
      const made: Ring = { x: tensor([1]) };
      made.self = made;
      return made;
    });
    expect(ring.x.disposed).toBe(false);
    const twice = scope(() => {
      const x = tensor([2]);
      const list = [x, x];
      return [list, list];
    });
    expect(twice[1]?.[1]?.disposed).toBe(false);
    const levels = 100_000;
    let deep: unknown = scope(() => {
      let list: unknown = tensor([3]);
      for (let i = 0; i < levels; i++) list = [list];
      return list;
    });
    expect(live()).toBe(3);
    for (let i = 0; i < levels; i++) deep = (deep as unknown[])[0];
    expect((deep as Tensor).disposed).toBe(false);
    // Seen once each: by every way to them there would be 2^60.
    scope(() => {
      let pair: unknown = tensor([4]);
      for (let i = 0; i < 60; i++) pair = { a: pair, b: pair };
      return pair;
    });
    expect(live()).toBe(4);
  });

  it('does not look into objects of classes', () => {
    class Holder {
      readonly x = tensor([1]);
    }
    expect(scope(() => new Holder()).x.disposed).toBe(true);
  });

  it('keeps no tensor where it returns none', () => {
    expect(scope(() => (tensor([1]), 7))).toBe(7);
    scope(() => {
      tensor([1]);
    });
    expect(live()).toBe(0);
  });

  it('nests: an inner result belongs to the outer scope', () => {
    let middle: Tensor | undefined;
    const y = scope(() => {
      middle = scope(() => relu(tensor([1])));
      expect(middle.disposed).toBe(false);
      expect(live()).toBe(1);
      return relu(middle);
    });
    expect(middle?.disposed).toBe(true);
    expect(y.disposed).toBe(false);
    expect(live()).toBe(1);
  });

  it('returns a tensor from outside unharmed', () => {
    const x = tensor([1]);
    expect(scope(() => x)).toBe(x);
    expect(x.disposed).toBe(false);
    // Not adopted by an outer scope either.
    scope(() => {
      scope(() => x);
    });
    expect(x.disposed).toBe(false);
  });

  it('frees everything where the function throws, and ends', () => {
    expect(() =>
      scope(() => {
        tensor([1]);
        scope(() => {
          tensor([2]);
          throw new TypeError('mine');
        });
      }),
    ).toThrow('mine');
    expect(live()).toBe(0);
    const after = tensor([1]);
    scope(() => {});
    expect(after.disposed).toBe(false);
  });

  it('does not mind tensors disposed inside', () => {
    scope(() => {
      tensor([1]).dispose();
    });
    expect(live()).toBe(0);
  });

  it('lets gradients live on', async () => {
    const w = tensor([1, -2], { requiresGrad: true });
    const target = tensor([0, 0]);
    const step = (): void => {
      scope(() => {
        mseLoss(leakyRelu(w, { negativeSlope: 0.5 }), target, { reduction: 'sum' }).backward();
      });
    };
    step();
    expect(live()).toBe(3);
    expect(await w.grad?.array()).toEqual([2, -1]);
    step();
    expect(live()).toBe(3);
    expect(await w.grad?.array()).toEqual([4, -2]);
  });

  it('keeps what a result needs for backward', async () => {
    const w = tensor([1, -2], { requiresGrad: true });
    const loss = scope(() => mseLoss(leakyRelu(w), tensor([0, 0]), { reduction: 'sum' }));
    loss.backward();
    expect(await w.grad?.array()).toEqual([2, Math.fround(2 * -2 * 0.01 * 0.01)]);
    loss.dispose();
    w.grad?.dispose();
    w.dispose();
    expect(live()).toBe(0);
  });

  it('frees the graph of a loss that is never differentiated', () => {
    const w = tensor([1, -2], { requiresGrad: true });
    scope(() => {
      mseLoss(relu(w), relu(w));
    });
    expect(live()).toBe(1);
  });

  it('refuses an async function and frees what it made', async () => {
    await expect(async () => scope(async () => tensor([1]))).rejects.toThrow(OptionError);
    expect(live()).toBe(0);
  });
});
