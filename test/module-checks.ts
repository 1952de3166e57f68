// What modules find in their fields, containers, and models in another dtype, on any device.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  add,
  cast,
  DTypeError,
  manualSeed,
  mseLoss,
  mul,
  nn,
  optim,
  OptionError,
  relu,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';

const named = (module: nn.Module): string[] => Object.keys(module.stateDict());

export function moduleSuite(open: () => Promise<Device>): void {
  let device: Device;
  beforeEach(async () => {
    device = await open();
    manualSeed(5);
  });
  afterEach(() => {
    device.dispose();
  });

  describe('fields of a module', () => {
    class Residual extends nn.Module {
      fc = new nn.Linear(2, 2);
      scale = tensor([0.5], { requiresGrad: true });
      // neither learned nor a module
      shift = tensor([1, 1]);
      title = 'residual';
      override forward(x: Tensor): Tensor {
        return add(x, mul(relu(this.fc.forward(x)), this.scale));
      }
    }
    class Net extends nn.Module {
      stem = new nn.Linear(3, 2, { bias: false });
      body = new Residual();
      head: nn.Linear | null = new nn.Linear(2, 1);
      override forward(x: Tensor): Tensor {
        const y = this.body.forward(this.stem.forward(x));
        return this.head ? this.head.forward(y) : y;
      }
    }

    it('are its children and parameters, named and ordered as PyTorch does', () => {
      // list(net.state_dict()) of the same class in PyTorch: parameters of a module before its children
      expect(named(new Net())).toEqual([
        'stem.weight',
        'body.scale',
        'body.fc.weight',
        'body.fc.bias',
        'head.weight',
        'head.bias',
      ]);
      expect(new Net().namedChildren().map(([name]) => name)).toEqual(['stem', 'body', 'head']);
      expect(new Net().parameters()).toHaveLength(6);
    });

    it('learn', async () => {
      const net = new Net();
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.05 });
      const before = await net.body.scale.item();
      const losses: number[] = [];
      for (let step = 0; step < 20; step++) {
        optimizer.zeroGrad();
        const loss = mseLoss(net.forward(tensor([[1, 2, 3]])), tensor([[1]]));
        loss.backward();
        optimizer.step();
        losses.push(await loss.item());
      }
      expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 10);
      expect(await net.body.scale.item()).not.toBe(before);
    });

    it('are in the mode of the module, and are disposed of with it', () => {
      const net = new Net();
      net.eval();
      expect(net.body.fc.training).toBe(false);
      net.dispose();
      expect(net.body.fc.weight.disposed).toBe(true);
      expect(net.body.shift.disposed).toBe(false);
    });

    it('stay parameters when they are frozen, also before anybody has asked', () => {
      const net = new Residual();
      net.scale.requiresGrad = false;
      expect(named(net)).toEqual(['scale', 'fc.weight', 'fc.bias']);
      expect(net.parameters()).toContain(net.scale);
    });

    it('may be replaced, in place, and removed', () => {
      const net = new Net();
      const before = named(net);
      const stem = new nn.Linear(3, 2, { bias: false });
      net.stem = stem;
      expect(named(net)).toEqual(before);
      expect(net.stateDict()['stem.weight']).toBe(stem.weight);
      net.head = null;
      expect(named(net)).toEqual(before.filter((name) => !name.startsWith('head')));
      net.head = new nn.Linear(2, 1, { bias: false });
      expect(named(net).at(-1)).toBe('head.weight');
      Reflect.deleteProperty(net, 'stem');
      expect(named(net)[0]).toBe('body.scale');
    });

    it('keep the names that the class gives them', () => {
      class Named extends nn.Module {
        readonly outProj = this.child('out_proj', new nn.Linear(1, 1));
        gain = this.parameter('weight', tensor([1]));
        mean = this.buffer('running_mean', tensor([0]));
        override forward(x: Tensor): Tensor {
          return this.outProj.forward(x);
        }
      }
      const net = new Named();
      const names = ['weight', 'running_mean', 'out_proj.weight', 'out_proj.bias'];
      expect(named(net)).toEqual(names);
      expect(named(net)).toEqual(names);
      net.mean = tensor([2]);
      Reflect.set(net, 'outProj', new nn.Linear(1, 1, { bias: false }));
      expect(named(net)).toEqual(names.slice(0, 3));
      expect(net.stateDict().running_mean).toBe(net.mean);
    });

    it('that hold a result of ops are no parameters', () => {
      class Caching extends nn.Module {
        fc = new nn.Linear(1, 1);
        last: Tensor | null = null;
        override forward(x: Tensor): Tensor {
          this.last = this.fc.forward(x);
          return this.last;
        }
      }
      const net = new Caching();
      net.forward(tensor([[1]]));
      expect(net.last?.requiresGrad).toBe(true);
      expect(named(net)).toEqual(['fc.weight', 'fc.bias']);
    });

    it('that share a tensor have it twice in the state and once among the parameters', () => {
      class Tied extends nn.Module {
        tokens = new nn.Embedding(3, 2);
        head = new nn.Linear(2, 3, { bias: false });
        constructor() {
          super();
          Reflect.set(this.head, 'weight', this.tokens.weight);
        }
        override forward(x: Tensor): Tensor {
          return this.head.forward(this.tokens.forward(x));
        }
      }
      const net = new Tied();
      expect(named(net)).toEqual(['tokens.weight', 'head.weight']);
      expect(net.namedParameters().map(([name]) => name)).toEqual(['tokens.weight']);
    });

    it('that hold the module itself are refused', () => {
      class Circular extends nn.Module {
        parent: nn.Module = this;
        override forward(x: Tensor): Tensor {
          return x;
        }
      }
      const net = new Circular();
      for (const call of [() => net.stateDict(), () => net.train(), () => net.parameters()])
        expect(call).toThrow(/contain themselves.*Circular/);
    });
  });

  describe('containers', () => {
    it('ModuleList names its modules by index, and is typed by them', async () => {
      const list = new nn.ModuleList([new nn.Linear(1, 2), new nn.Linear(2, 1)]);
      expect(named(list)).toEqual(['0.weight', '0.bias', '1.weight', '1.bias']);
      list.append(new nn.Linear(1, 1, { bias: false }));
      expect(list.length).toBe(3);
      expect(list[2]).toBe(list.at(-1));
      const first = new nn.Linear(1, 1, { bias: false });
      list.insert(0, first);
      expect(list[0]).toBe(first);
      expect(named(list)).toEqual([
        '0.weight',
        '1.weight',
        '1.bias',
        '2.weight',
        '2.bias',
        '3.weight',
      ]);
      const y = [...list].reduce((x, layer) => layer.forward(x), tensor([[1]]));
      expect(await y.array()).toEqual([[expect.any(Number)]]);
      expect(() => list.forward()).toThrow(OptionError);
      expect(() => new nn.ModuleList([1 as never])).toThrow('ModuleList: 0');
    });

    it('ModuleList keeps the order of more than ten', () => {
      const list = new nn.ModuleList(
        Array.from({ length: 12 }, () => new nn.Linear(1, 1, { bias: false })),
      );
      expect(named(list)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}.weight`));
    });

    it('ModuleDict names its modules by key, whatever the key', () => {
      const dict = new nn.ModuleDict({ forward: new nn.Linear(1, 1), act: new nn.ReLU() });
      expect(named(dict)).toEqual(['forward.weight', 'forward.bias']);
      expect(dict.get('forward').weight.shape).toEqual([1, 1]);
      expect([dict.size, dict.has('act'), dict.has('x')]).toEqual([2, true, false]);
      expect(dict.keys()).toEqual([...dict].map(([name]) => name));
      const other = new nn.Linear(2, 1, { bias: false });
      dict.set('forward', other);
      expect(dict.values()[0]).toBe(other);
      expect(() => dict.get('x' as 'act')).toThrow(/one of forward, act.*x/);
      for (const name of ['', 'a.b'])
        expect(() => new nn.ModuleDict({ [name]: new nn.ReLU() })).toThrow(OptionError);
    });

    it('Sequential takes names, of an object or a Map', async () => {
      const modules = () => ({ fc1: new nn.Linear(2, 2), act: new nn.Tanh(), fc2: new nn.PReLU() });
      const byName = new nn.Sequential(modules());
      expect(named(byName)).toEqual(['fc1.weight', 'fc1.bias', 'fc2.weight']);
      expect(named(new nn.Sequential(new Map(Object.entries(modules()))))).toEqual(named(byName));
      const byIndex = new nn.Sequential(...byName);
      expect(named(byIndex)).toEqual(['0.weight', '0.bias', '2.weight']);
      expect([byName.length, byName.at(-1)]).toEqual([3, byIndex.at(2)]);
      const x = tensor([[1, -2]]);
      expect(await byName.forward(x).data()).toEqual(await byIndex.forward(x).data());
      expect(() => new nn.Sequential({ 'a.b': new nn.ReLU() })).toThrow('no dot');
      expect(() => new nn.Sequential({ a: 1 as never })).toThrow('a module');
    });

    it('Identity gives back its input', () => {
      const x = tensor([1]);
      expect(new nn.Identity(54, { unused: true }).forward(x)).toBe(x);
    });
  });

  describe('to', () => {
    const make = () =>
      new nn.Sequential(
        new nn.Linear(2, 4),
        // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- its class comes from a function
        new nn.BatchNorm1d(4),
        new nn.Linear(4, 1, { bias: false }),
      );

    it('converts parameters, buffers and gradients in place, and back', async () => {
      const net = make();
      const [first] = net.parameters();
      if (!first) throw new Error('no parameter');
      first.grad = tensor(
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8].map((x) => x / 3),
        { shape: [4, 2] },
      );
      const { grad } = first;
      const [weight, gradient] = [await first.data(), await grad.data()];
      const bytes = device.stats().liveBuffers;
      expect(net.to('float16')).toBe(net);
      expect(device.stats().liveBuffers).toBe(bytes);
      expect(Object.entries(net.stateDict()).map(([name, { dtype }]) => [name, dtype])).toEqual([
        ['0.weight', 'float16'],
        ['0.bias', 'float16'],
        ['1.weight', 'float16'],
        ['1.bias', 'float16'],
        ['1.running_mean', 'float16'],
        ['1.running_var', 'float16'],
        ['1.num_batches_tracked', 'int32'],
        ['2.weight', 'float16'],
      ]);
      expect(net.parameters()[0]).toBe(first);
      expect(first.grad).toBe(grad);
      const halves = async (x: Float32Array | Int32Array): Promise<unknown> =>
        tensor(x, { dtype: 'float16' }).data();
      expect(await first.data()).toEqual(await halves(weight));
      expect(await grad.data()).toEqual(await halves(gradient));
      net.to('float32');
      expect([first.dtype, grad.dtype]).toEqual(['float32', 'float32']);
      expect(await first.data()).toEqual(await halves(weight));
    });

    it('leaves an optimizer that was made before as it was', async () => {
      const net = make();
      const optimizer = new optim.Adam(net.parameters(), { lr: 0.02 });
      const x = tensor([
        [1, 2],
        [3, -1],
        [0, 1],
      ]);
      const target = tensor([[1], [2], [3]]);
      const step = async (half: boolean): Promise<number> => {
        const dtype = half ? 'float16' : 'float32';
        optimizer.zeroGrad();
        const loss = mseLoss(net.forward(cast(x, dtype)), cast(target, dtype));
        loss.backward();
        optimizer.step();
        return loss.item();
      };
      const losses = [await step(false)];
      net.to('float16');
      for (let i = 0; i < 30; i++) losses.push(await step(true));
      expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
      expect(
        optimizer
          .stateDict()
          .state.flat()
          .every(({ dtype }) => dtype === 'float32'),
      ).toBe(true);
    });

    it('reaches weights that modules keep to themselves', () => {
      const net = new nn.MultiheadAttention(4, 2, { addBiasKv: true }).to('float16');
      const x = tensor(new Float32Array(8), { shape: [2, 1, 4], dtype: 'float16' });
      expect(net.forward(x, x, x).output.dtype).toBe('float16');
    });

    it('refuses other dtypes, and tensors that are gone', () => {
      const net = make();
      expect(() => net.to('int32' as 'float16')).toThrow(/to: dtype: .*float16.*int32/);
      net.parameters().at(-1)?.dispose();
      expect(() => net.to('float16')).toThrow(/to: 2.weight/);
      expect(net.parameters()[0]?.dtype).toBe('float32');
    });
  });

  describe('loadStateDict', () => {
    it('casts floats where that is asked for', async () => {
      const from = new nn.Linear(2, 1, { dtype: 'float16' });
      const to = new nn.Linear(2, 1);
      const before = await to.weight.data();
      let error: unknown;
      try {
        to.loadStateDict(from.stateDict());
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(DTypeError);
      expect(String(error)).toMatch(/weight: expected .*float32.*received float16.*cast: true/);
      expect(await to.weight.data()).toEqual(before);
      const nothing = { missingKeys: [], unexpectedKeys: [] };
      expect(to.loadStateDict(from.stateDict(), { cast: true })).toEqual(nothing);
      expect(await to.weight.data()).toEqual(await from.weight.data());
      expect(to.weight.dtype).toBe('float32');
      const back = new nn.Linear(2, 1, { dtype: 'float16' });
      back.loadStateDict(to.stateDict(), { cast: true });
      expect(await back.weight.data()).toEqual(await from.weight.data());
      const { weight } = to;
      const counts = { weight, bias: tensor([1], { dtype: 'int32' }) };
      expect(() => to.loadStateDict(counts, { cast: true })).toThrow(DTypeError);
    });

    it('does both: a part, cast', async () => {
      const net = new nn.Sequential({ body: new nn.Linear(1, 1), head: new nn.Linear(1, 1) });
      const state = { 'body.weight': tensor([[0.25]], { dtype: 'float16' }), other: tensor([1]) };
      expect(net.loadStateDict(state, { strict: false, cast: true })).toEqual({
        missingKeys: ['body.bias', 'head.weight', 'head.bias'],
        unexpectedKeys: ['other'],
      });
      expect(await net.stateDict()['body.weight']?.array()).toEqual([[0.25]]);
    });
  });

  it('zeroGrad of a tensor clears its gradient and frees it', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.grad = tensor([1, 1]);
    const { grad } = x;
    x.zeroGrad();
    expect(x.grad).toBeNull();
    expect(grad.disposed).toBe(true);
  });

  it('memory of a device says itself in words', () => {
    const before = device.memory();
    const x = tensor(new Float32Array(500_000));
    const memory = device.memory();
    expect(memory.liveBytes - before.liveBytes).toBeGreaterThanOrEqual(4 * x.size);
    expect(memory.totalBytes).toBe(memory.liveBytes + memory.pooledBytes);
    expect(String(memory)).toMatch(
      /^2(\.\d)? MB: 2(\.\d)? MB of tensors in \d+ buffers, [\d.]+ (bytes|[kM]B) kept for reuse in \d+$/,
    );
  });
}
