// Gradients, steps, loaded states and backward passes, on any device: each is done whole or not at all.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NonlinError } from '../src/index.ts';
import {
  add,
  AutogradError,
  DeviceMismatchError,
  DisposedError,
  DTypeError,
  init,
  leakyRelu,
  linear,
  matmul,
  mseLoss,
  mul,
  nn,
  optim,
  OptionError,
  OutOfMemoryError,
  scope,
  ShapeError,
  sum,
  tanh,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';

/** The error that a call throws. */
function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Memory of the device runs out after `count` more tensors, or arrays for conversions; returns how to mend it. */
function failAfter(device: Device, count: number): () => void {
  let left = count;
  const converts = device.type === 'cpu' ? [Float32Array, Float64Array] : [];
  for (const kind of converts) {
    const original = kind.from.bind(kind) as (...args: unknown[]) => unknown;
    Object.defineProperty(kind, 'from', {
      configurable: true,
      value: (...args: unknown[]) => {
        if (left-- <= 0) throw new RangeError('Array buffer allocation failed');
        return original(...args);
      },
    });
  }
  const names = ['allocate', 'upload'] as const;
  for (const name of names) {
    const original = (device[name] as (...args: unknown[]) => unknown).bind(device);
    Object.defineProperty(device, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        if (left-- <= 0) throw new OutOfMemoryError({ op: 'test', received: 'no memory' });
        return original(...args);
      },
    });
  }
  return () => {
    for (const name of names) Reflect.deleteProperty(device, name);
    // What is inherited is there again.
    for (const kind of converts) Reflect.deleteProperty(kind, 'from');
  };
}

/** Runs `call` with memory for no tensor, for one, for two …; `check` is called after each failure. */
async function withEveryFailure(
  device: Device,
  call: () => void,
  check: () => Promise<void>,
): Promise<number> {
  for (let count = 0; count < 100; count++) {
    const mend = failAfter(device, count);
    const error = errorOf(call);
    mend();
    if (error === undefined) return count;
    expect(error).toBeInstanceOf(OutOfMemoryError);
    await check();
  }
  throw new Error('memory was never enough');
}

const valuesOf = (tensors: readonly (Tensor | null)[]): Promise<(number[] | null)[]> =>
  Promise.all(tensors.map(async (one) => (one ? [...(await one.data())] : null)));

export function stateSuite(open: () => Promise<Device>): void {
  let device: Device;
  beforeEach(async () => {
    device = await open();
  });
  afterEach(() => {
    device.dispose();
  });
  const live = (): number => device.stats().liveBuffers;
  const leaf = (data: number[], dtype: 'float32' | 'float16' = 'float32'): Tensor =>
    tensor(data, { device, dtype, requiresGrad: true });

  describe('grad', () => {
    it('takes a tensor like its own, and null', async () => {
      const w = leaf([1, 2, 3]);
      const given = tensor([10, 20, 30], { device });
      w.grad = given;
      expect(w.grad).toBe(given);
      new optim.SGD([w], { lr: 0.5 }).step();
      expect(await w.array()).toEqual([-4, -8, -12]);
      w.grad = null;
      expect(w.grad).toBeNull();
    });

    it('of another shape, dtype, device or kind is refused, and the one before stays', async () => {
      const w = leaf([1, 2, 3]);
      const before = tensor([1, 1, 1], { device });
      w.grad = before;
      const elsewhere = await init({ backend: 'cpu' });
      const gone = tensor([1, 2, 3], { device });
      gone.dispose();
      const refused: [unknown, new (...args: never[]) => NonlinError, RegExp][] = [
        [tensor([10, 20], { device }), ShapeError, /grad: expected shape \[3\].*shape \[2\]/],
        [tensor([1], { device }), ShapeError, /shape \[1\]/],
        [tensor([[1, 2, 3]], { device }), ShapeError, /shape \[1, 3\]/],
        [tensor(1, { device }), ShapeError, /shape \[\]/],
        [tensor([1, 2, 3], { device, dtype: 'int32' }), DTypeError, /float32.*received int32/],
        [tensor([1, 2, 3], { device, dtype: 'float16' }), DTypeError, /received float16/],
        [tensor([1, 2, 3], { device: elsewhere }), DeviceMismatchError, /another device/],
        [gone, DisposedError, /disposed/],
        [w, OptionError, /tensor of its own/],
        [[1, 2, 3], DTypeError, /a tensor or null/],
        [undefined, DTypeError, /a tensor or null/],
        [Float32Array.of(1, 2, 3), DTypeError, /a tensor or null/],
      ];
      for (const [value, kind, message] of refused) {
        const error = errorOf(() => {
          w.grad = value as Tensor;
        });
        expect(error, String(message)).toBeInstanceOf(kind);
        expect(error).toMatchObject({ op: 'grad' });
        expect(String(error)).toMatch(message);
        expect(w.grad).toBe(before);
      }
      elsewhere.dispose();
    });

    it('that was set is added to, element by element', async () => {
      const w = leaf([1, 2]);
      w.grad = tensor([10, 20], { device });
      sum(mul(w, 3)).backward();
      expect(await w.grad.array()).toEqual([13, 23]);
    });

    it('that is the memory of its parameter is read before that is written', async () => {
      const w = leaf([4, 8]);
      w.grad = w.detach();
      new optim.SGD([w], { lr: 0.5, momentum: 0.5 }).step();
      expect(await w.array()).toEqual([2, 4]);
    });
  });

  const optimizers: Readonly<Record<string, (w: readonly Tensor[]) => optim.Optimizer>> = {
    SGD: (w) => new optim.SGD(w, { lr: 1, momentum: 0.9 }),
    Adam: (w) => new optim.Adam(w, { lr: 0.5, amsgrad: true }),
    AdamW: (w) => new optim.AdamW(w, { lr: 0.5 }),
  };
  describe.each(Object.keys(optimizers))('%s.step', (name) => {
    const make = optimizers[name];
    if (!make) throw new Error(name);
    const parameters = (dtype: 'float32' | 'float16' = 'float32') => {
      const all = [leaf([1, 2], dtype), leaf([3], dtype), leaf([4, 5, 6], dtype)];
      for (const w of all) w.grad = tensor(new Float32Array(w.size).fill(1), { device, dtype });
      return all;
    };

    it('leaves out a parameter that is frozen, until it is not', async () => {
      const frozen = tensor([7, 8], { device });
      const w = leaf([1, 2]);
      const optimizer = make([frozen, w]);
      const step = (): void => {
        optimizer.zeroGrad();
        sum(mul(frozen, w)).backward();
        optimizer.step();
      };
      step();
      expect(await frozen.array()).toEqual([7, 8]);
      expect(await w.array()).not.toEqual([1, 2]);
      expect(optimizer.stateDict()).toMatchObject({ steps: [0, 1], state: [[], {}] });
      frozen.requiresGrad = true;
      step();
      expect(await frozen.array()).not.toEqual([7, 8]);
      expect(optimizer.stateDict().steps).toEqual([1, 2]);
      frozen.requiresGrad = false;
      const values = await valuesOf([frozen]);
      step();
      expect(await valuesOf([frozen])).toEqual(values);
      expect(optimizer.stateDict().steps).toEqual([1, 3]);
    });

    it('with a disposed gradient in the middle changes nothing, and names it', async () => {
      const all = parameters();
      const optimizer = make(all);
      const steps = (): readonly number[] => optimizer.stateDict().steps;
      all[1]?.grad?.dispose();
      const [values, buffers] = [await valuesOf(all), live()];
      const error = errorOf(() => {
        optimizer.step();
      });
      expect(error).toBeInstanceOf(DisposedError);
      expect(error).toMatchObject({ op: `${name}.step`, argument: 'parameters[1].grad' });
      expect(await valuesOf(all)).toEqual(values);
      expect(steps()).toEqual([0, 0, 0]);
      expect(live()).toBe(buffers);
      // Mended, the step is the first.
      const [, w] = all;
      if (w) w.grad = null;
      optimizer.step();
      expect(steps()).toEqual([1, 0, 1]);
    });

    it('with a disposed parameter or moment changes nothing', async () => {
      const all = parameters();
      const optimizer = make(all);
      optimizer.step();
      const { state, steps } = optimizer.stateDict();
      state[1]?.[0]?.dispose();
      const moments = state.flatMap((tensors, i) => (i === 1 ? [] : tensors));
      const read = (): Promise<unknown> => valuesOf([...all, ...moments]);
      const before = await read();
      expect(() => {
        optimizer.step();
      }).toThrow(DisposedError);
      expect(await read()).toEqual(before);
      expect(optimizer.stateDict().steps).toEqual(steps);
      const other = parameters();
      const second = make(other);
      const kept = await valuesOf(other.slice(0, 2));
      other[2]?.dispose();
      const error = errorOf(() => {
        second.step();
      });
      expect(error).toBeInstanceOf(DisposedError);
      expect(error).toMatchObject({ op: `${name}.step`, argument: 'parameters[2]' });
      expect(await valuesOf(other.slice(0, 2))).toEqual(kept);
      expect(second.stateDict().steps).toEqual([0, 0, 0]);
    });

    it.each(['float32', 'float16'] as const)(
      'without memory changes nothing: %s',
      async (dtype) => {
        const all = parameters(dtype);
        const optimizer = make(all);
        // Its moments are made in the first step.
        for (const steps of [0, 1]) {
          const before = optimizer.stateDict();
          const read = (): Promise<unknown> => valuesOf([...all, ...before.state.flat()]);
          const [values, buffers] = [await read(), live()];
          const tensors = await withEveryFailure(
            device,
            () => {
              optimizer.step();
            },
            async () => {
              expect(await read()).toEqual(values);
              expect(optimizer.stateDict()).toEqual(before);
              expect(live()).toBe(buffers);
            },
          );
          if (steps === 0) expect(tensors).toBeGreaterThanOrEqual(3);
          expect(optimizer.stateDict().steps).toEqual([steps + 1, steps + 1, steps + 1]);
          expect(await read()).not.toEqual(values);
        }
      },
    );

    it('a state that does not fit, or has no memory, is not loaded in part', async () => {
      const [all, others] = [parameters(), parameters()];
      const [optimizer, other] = [make(all), make(others)];
      optimizer.step();
      other.step();
      other.step();
      const before = optimizer.stateDict();
      const moments = await valuesOf(before.state.flat());
      const unchanged = async () => {
        expect(optimizer.stateDict()).toEqual(before);
        expect(await valuesOf(optimizer.stateDict().state.flat())).toEqual(moments);
      };
      const state = other.stateDict();
      const gone = tensor([1, 2, 3], { device });
      gone.dispose();
      expect(
        errorOf(() => {
          optimizer.loadStateDict({
            ...state,
            state: [...state.state.slice(0, 2), state.state[2]?.map(() => gone) ?? []],
          });
        }),
      ).toBeInstanceOf(DisposedError);
      await unchanged();
      const buffers = live();
      await withEveryFailure(
        device,
        () => {
          optimizer.loadStateDict(state);
        },
        async () => {
          await unchanged();
          expect(live()).toBe(buffers);
        },
      );
      expect(optimizer.stateDict().steps).toEqual([2, 2, 2]);
      expect(await valuesOf(optimizer.stateDict().state.flat())).toEqual(
        await valuesOf(state.state.flat()),
      );
      expect(live()).toBe(buffers);
      // Its own state is what it has already.
      optimizer.loadStateDict(optimizer.stateDict());
      expect(await valuesOf(optimizer.stateDict().state.flat())).toEqual(
        await valuesOf(state.state.flat()),
      );
    });
  });

  describe("a module's loadStateDict", () => {
    it('writes nothing where one of its own tensors is disposed', async () => {
      const [a, b] = [new nn.Linear(2, 2, { device }), new nn.Linear(2, 2, { device })];
      const before = await valuesOf([b.weight]);
      b.bias?.dispose();
      const error = errorOf(() => {
        b.loadStateDict(a.stateDict());
      });
      expect(error).toBeInstanceOf(DisposedError);
      expect(error).toMatchObject({ op: 'loadStateDict', argument: 'bias' });
      expect(await valuesOf([b.weight])).toEqual(before);
    });

    it.each(['float32', 'float16'] as const)(
      'reads its own tensors before it writes them: %s',
      async (dtype) => {
        const net = new nn.Sequential(
          new nn.Linear(2, 2, { device, dtype, bias: false }),
          new nn.Linear(2, 2, { device, dtype, bias: false }),
        );
        const own = net.stateDict();
        const [first, second] = [own['0.weight'], own['1.weight']];
        if (!first || !second) throw new Error('no weights');
        const before = await valuesOf([first, second]);
        const buffers = live();
        await withEveryFailure(
          device,
          () => {
            net.loadStateDict({ '0.weight': second, '1.weight': first });
          },
          async () => {
            expect(await valuesOf([first, second])).toEqual(before);
            expect(live()).toBe(buffers);
          },
        );
        expect(await valuesOf([second, first])).toEqual(before);
        expect(live()).toBe(buffers);
      },
    );
  });

  describe('memory that cannot be had', () => {
    const column = (n: number): Tensor => tensor(new Float32Array(n), { device, shape: [n, 1] });
    const row = (n: number): Tensor => tensor(new Float32Array(n), { device, shape: [1, n] });
    const most = 2 ** 21;
    const calls: Readonly<Record<string, [() => unknown, bytes: number]>> = {
      add: [() => add(column(most), row(most)), 4 * most ** 2],
      mseLoss: [() => mseLoss(column(most), row(most), { reduction: 'none' }), 4 * most ** 2],
      matmul: [() => matmul(column(most), row(most)), 4 * most ** 2],
      Linear: [() => new nn.Linear(1e9, 1e9, { device }), 4e18],
      'Linear, more elements than can be counted': [
        () => new nn.Linear(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, { device }),
        4 * Number.MAX_SAFE_INTEGER ** 2,
      ],
      'Linear, its bias': [() => new nn.Linear(1, 1e15, { device, dtype: 'float16' }), 2e15],
      PReLU: [() => new nn.PReLU({ numParameters: 1e15, device }), 4e15],
    };
    it.each(Object.keys(calls))('is an OutOfMemoryError: %s', async (name) => {
      const [call, bytes] = calls[name] ?? [];
      if (!call || bytes === undefined) throw new Error(name);
      const before = live();
      const error = errorOf(() => scope(call));
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect(error).toMatchObject({ op: name.split(',')[0] });
      expect(String(error)).toContain(`${bytes} bytes`);
      expect(live()).toBe(before);
      // The device goes on.
      expect(await add(tensor([1], { device }), 1).array()).toEqual([2]);
    });
  });

  describe('backward', () => {
    /** A network with two layers, on data of its own; its first weights have a gradient already. */
    const network = (dtype: 'float32' | 'float16' = 'float32') => {
      const weights = [leaf([0.5, -1], dtype), leaf([2, 1], dtype)];
      const [w1, w2] = weights;
      if (!w1 || !w2) throw new Error('no weights');
      w1.grad = tensor([10, 20], { device, dtype });
      if (dtype === 'float16') w2.grad = tensor([1, 2], { device, dtype });
      const x = tensor(
        [
          [1, 2],
          [-1, 0.5],
        ],
        { device, dtype },
      );
      const target = tensor([[1], [0]], { device, dtype });
      const reshaped = (w: Tensor): Tensor => mul(tensor([[1, 1]], { device, dtype }), w);
      const loss = (): Tensor => {
        const hidden = tanh(mul(x, w1));
        const y = linear(hidden, reshaped(w2));
        return mseLoss(leakyRelu(y), target, { reduction: 'sum' });
      };
      return { weights, loss };
    };

    it.each(['float32', 'float16'] as const)(
      'that fails anywhere leaves all gradients as they were, and the graph where it is retained: %s',
      async (dtype) => {
        const { weights, loss } = network(dtype);
        const value = loss();
        const gradients = (): Promise<unknown> => valuesOf(weights.map((w) => w.grad));
        const [before, buffers] = [await gradients(), live()];
        await withEveryFailure(
          device,
          () => {
            value.backward(undefined, { retainGraph: true });
          },
          async () => {
            expect(await gradients()).toEqual(before);
            expect(live()).toBe(buffers);
          },
        );
        const once = await gradients();
        expect(once).not.toEqual(before);
        const other = network(dtype);
        other.loss().backward();
        expect(once).toEqual(await valuesOf(other.weights.map((w) => w.grad)));
      },
    );

    it('that fails frees a graph that is not retained', async () => {
      const { weights, loss } = network();
      const gradients = (): Promise<unknown> => valuesOf(weights.map((w) => w.grad));
      const [before, buffers] = [await gradients(), live()];
      for (let count = 0; count < 4; count++) {
        const value = loss();
        const mend = failAfter(device, count);
        expect(() => {
          value.backward();
        }).toThrow(OutOfMemoryError);
        mend();
        expect(() => {
          value.backward();
        }).toThrow(AutogradError);
        expect(await gradients()).toEqual(before);
        value.dispose();
      }
      await device.synchronize();
      // What is left are constants of the network that nobody holds: two a graph.
      expect(live()).toBeLessThanOrEqual(buffers + 4 * 8);
    });

    it('of a graph that is not whole changes nothing: it is looked at before', async () => {
      const x = leaf([2, -1]);
      const first = tanh(x);
      const w = leaf([3, 3]);
      const loss = sum(mul(first, w));
      sum(first).backward();
      const before = await valuesOf([x.grad]);
      expect(() => {
        loss.backward();
      }).toThrow(AutogradError);
      // The gradient of w would have been there before the part that is gone was met.
      expect(w.grad).toBeNull();
      expect(await valuesOf([x.grad])).toEqual(before);
    });
  });
}
