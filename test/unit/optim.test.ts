// SGD, Adam and AdamW against PyTorch's algorithms, as its documentation writes them down, in float64.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  init,
  mul,
  nn,
  NonlinError,
  optim,
  OptionError,
  scope,
  sum,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';

let device: Device;
beforeEach(async () => {
  device = await init({ backend: 'cpu' });
});

/** One parameter's trajectory: the gradient at each step is `gradOf(w, step)`. */
type Reference = (w: number, gradOf: (w: number, step: number) => number, steps: number) => number;

function sgd(options: optim.SGDOptions): Reference {
  const { lr = 1e-3, momentum = 0, dampening = 0, weightDecay = 0, nesterov, maximize } = options;
  return (start, gradOf, steps) => {
    let w = start;
    let b = 0;
    for (let t = 1; t <= steps; t++) {
      let g = gradOf(w, t) * (maximize === true ? -1 : 1);
      if (weightDecay !== 0) g += weightDecay * w;
      if (momentum !== 0) {
        b = t > 1 ? momentum * b + (1 - dampening) * g : g;
        g = nesterov === true ? g + momentum * b : b;
      }
      w -= lr * g;
    }
    return w;
  };
}

function adam(options: optim.AdamOptions, decoupled: boolean): Reference {
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, amsgrad, maximize } = options;
  const { weightDecay = decoupled ? 0.01 : 0 } = options;
  const [beta1, beta2] = betas;
  return (start, gradOf, steps) => {
    let [w, m, v, most] = [start, 0, 0, 0];
    for (let t = 1; t <= steps; t++) {
      let g = gradOf(w, t) * (maximize === true ? -1 : 1);
      if (decoupled) w -= lr * weightDecay * w;
      else g += weightDecay * w;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      most = Math.max(most, v);
      const corrected = (amsgrad === true ? most : v) / (1 - beta2 ** t);
      w -= ((lr / (1 - beta1 ** t)) * m) / (Math.sqrt(corrected) + eps);
    }
    return w;
  };
}

const START = [1.5, -0.3, 0.02, -7];
/** Gradients that change sign and size, so that moments matter. */
const gradient = (w: number, t: number): number => w * (t % 3 === 0 ? -2 : 1) + 0.1 * t;

async function run(optimizer: optim.Optimizer, w: Tensor, steps: number): Promise<number[]> {
  for (let t = 1; t <= steps; t++) {
    const values = await w.data();
    const upstream = tensor(Float32Array.from(values, (value) => gradient(value, t)));
    optimizer.zeroGrad();
    // d sum(w · c) / dw = c
    sum(mul(w, upstream)).backward();
    optimizer.step();
  }
  return [...(await w.data())];
}

const STEPS = 7;

describe('optimizers follow PyTorch', () => {
  const cases: [string, (w: Tensor) => optim.Optimizer, Reference][] = [];
  for (const options of [
    {},
    { lr: 0.1 },
    { lr: 0.1, weightDecay: 0.3 },
    { lr: 0.1, momentum: 0.9 },
    { lr: 0.1, momentum: 0.9, dampening: 0.5 },
    { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
    { lr: 0.05, momentum: 0.5, maximize: true },
  ] satisfies optim.SGDOptions[]) {
    cases.push([
      `SGD ${JSON.stringify(options)}`,
      (w) => new optim.SGD([w], options),
      sgd(options),
    ]);
  }
  for (const options of [
    {},
    { lr: 0.1 },
    { lr: 0.1, betas: [0.5, 0.6] as const },
    { lr: 0.1, eps: 0.1 },
    { lr: 0.1, weightDecay: 0.2 },
    { lr: 0.1, amsgrad: true, betas: [0.9, 0.5] as const },
    { lr: 0.1, maximize: true },
  ] satisfies optim.AdamOptions[]) {
    cases.push([
      `Adam ${JSON.stringify(options)}`,
      (w) => new optim.Adam([w], options),
      adam(options, false),
    ]);
    cases.push([
      `AdamW ${JSON.stringify(options)}`,
      (w) => new optim.AdamW([w], options),
      adam(options, true),
    ]);
  }
  for (const [name, make, reference] of cases) {
    it(name, async () => {
      const w = tensor(START, { requiresGrad: true });
      const values = await run(make(w), w, STEPS);
      START.forEach((start, i) => {
        const expected = reference(start, gradient, STEPS);
        const error = Math.abs((values[i] ?? NaN) - expected);
        expect(error, `${values[i] ?? NaN} for ${expected}`).toBeLessThan(
          2e-5 * Math.max(1, Math.abs(expected)),
        );
        expect(Math.abs(expected - start)).toBeGreaterThan(1e-4);
      });
    });
  }
});

describe('an optimizer', () => {
  it('leaves parameters without a gradient alone', async () => {
    const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
    const optimizer = new optim.SGD([a, b], { lr: 1, weightDecay: 0.5 });
    sum(a).backward();
    optimizer.step();
    expect(await a.item()).toBe(-0.5);
    expect(await b.item()).toBe(1);
  });

  it('takes a new learning rate between steps', async () => {
    const w = tensor([0], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 1 });
    sum(w).backward();
    optimizer.step();
    optimizer.lr = 10;
    optimizer.step();
    expect(await w.item()).toBe(-11);
  });

  it('writes in place: the tensor stays the same, its graph does not survive', () => {
    const w = tensor([2], { requiresGrad: true });
    const optimizer = new optim.SGD([w]);
    const loss = sum(mul(w, w));
    loss.backward(undefined, { retainGraph: true });
    optimizer.step();
    expect(() => {
      loss.backward();
    }).toThrow(NonlinError);
  });

  it('keeps float16 parameters in float16 and its state in float32', async () => {
    const w = tensor([1], { dtype: 'float16', requiresGrad: true });
    const optimizer = new optim.Adam([w], { lr: 0.125 });
    sum(w).backward();
    optimizer.step();
    expect(w.dtype).toBe('float16');
    expect(await w.item()).toBe(0.875);
  });

  it('frees gradients and state', () => {
    const w = tensor([1], { requiresGrad: true });
    const before = device.stats().liveBuffers;
    const optimizer = new optim.Adam([w], { amsgrad: true });
    scope(() => {
      sum(w).backward();
      optimizer.step();
    });
    // Still there after the scope: one gradient and three moments; and they are used again.
    expect(device.stats().liveBuffers).toBe(before + 4);
    optimizer.step();
    expect(device.stats().liveBuffers).toBe(before + 4);
    optimizer.zeroGrad();
    expect(w.grad).toBeNull();
    optimizer.dispose();
    expect(device.stats().liveBuffers).toBe(before);
  });

  it('refuses what it cannot use', () => {
    const w = tensor([1], { requiresGrad: true });
    const results = mul(w, 2);
    const bad: [() => unknown, string][] = [
      [() => new optim.SGD([]), 'parameters'],
      [() => new optim.SGD([results]), 'parameters[0]'],
      [() => new optim.SGD([w, results]), 'parameters[1]'],
      [() => new optim.SGD([w], { lr: -1 }), 'lr'],
      [() => new optim.SGD([w], { lr: NaN }), 'lr'],
      [() => new optim.SGD([w], { momentum: -0.1 }), 'momentum'],
      [() => new optim.SGD([w], { nesterov: true }), 'nesterov'],
      [() => new optim.SGD([w], { nesterov: true, momentum: 0.9, dampening: 0.1 }), 'nesterov'],
      [() => new optim.SGD([w], { learningRate: 1 } as optim.SGDOptions), 'learningRate'],
      [() => new optim.Adam([w], { betas: [1, 0.9] }), 'betas'],
      [() => new optim.Adam([w], { betas: [0.9] as unknown as [number, number] }), 'betas'],
      [() => new optim.Adam([w], { eps: -1 }), 'eps'],
      [() => new optim.AdamW([w], { weightDecay: -1 }), 'weightDecay'],
      [() => new optim.AdamW([w], { amsgrad: 1 as unknown as boolean }), 'amsgrad'],
    ];
    for (const [make, argument] of bad) {
      let thrown: unknown;
      try {
        make();
      } catch (error) {
        thrown = error;
      }
      expect(thrown, argument).toBeInstanceOf(OptionError);
      expect(thrown).toMatchObject({ argument });
    }
  });
});

describe('modules', () => {
  it('name their state as PyTorch does', () => {
    const net = new nn.Sequential(
      new nn.Linear(3, 4),
      new nn.PReLU(),
      new nn.Flatten(),
      new nn.Sequential(new nn.Dropout(), new nn.Linear(4, 2, { bias: false })),
    );
    expect(Object.entries(net.stateDict()).map(([name, { shape }]) => [name, shape])).toEqual([
      ['0.weight', [4, 3]],
      ['0.bias', [4]],
      ['1.weight', [1]],
      ['3.1.weight', [2, 4]],
    ]);
    expect(net.parameters().length).toBe(4);
    expect(net.parameters().every((parameter) => parameter.requiresGrad)).toBe(true);
    expect(net.namedParameters().map(([name]) => name)).toEqual(Object.keys(net.stateDict()));
  });

  it('copy a state, all or nothing', async () => {
    const [a, b] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
    b.loadStateDict(a.stateDict());
    expect(await b.weight.array()).toEqual(await a.weight.array());
    expect(b.weight).not.toBe(a.weight);
    const before = await b.weight.array();
    const wrong = [
      {
        weight: tensor([
          [1, 1],
          [1, 1],
        ]),
      },
      {
        weight: tensor([
          [1, 1],
          [1, 1],
        ]),
        bias: tensor([1]),
      },
      {
        weight: tensor([
          [1, 1],
          [1, 1],
        ]),
        bias: tensor([1, 1], { dtype: 'float16' }),
      },
      {
        weight: tensor([
          [1, 1],
          [1, 1],
        ]),
        bias: tensor([1, 1]),
        extra: tensor([1]),
      },
    ];
    for (const state of wrong) expect(() => b.loadStateDict(state)).toThrow(NonlinError);
    expect(await b.weight.array()).toEqual(before);
  });

  it('load what there is of a state where that is asked for, and say what was not', async () => {
    const net = new nn.Sequential(new nn.Linear(1, 1), new nn.PReLU());
    const before = await net.stateDict()['0.bias']?.array();
    const state = { '0.weight': tensor([[7]]), '1.weight': tensor([0.5]), '2.weight': tensor([1]) };
    expect(() => net.loadStateDict(state)).toThrow('none of 0.bias; unknown 2.weight');
    expect(await net.stateDict()['1.weight']?.array()).toEqual([0.25]);
    expect(net.loadStateDict(state, { strict: false })).toEqual({
      missingKeys: ['0.bias'],
      unexpectedKeys: ['2.weight'],
    });
    expect(await net.stateDict()['0.weight']?.array()).toEqual([[7]]);
    expect(await net.stateDict()['1.weight']?.array()).toEqual([0.5]);
    expect(await net.stateDict()['0.bias']?.array()).toEqual(before);
    expect(net.loadStateDict(net.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    const nothing = { missingKeys: Object.keys(net.stateDict()), unexpectedKeys: [] };
    expect(net.loadStateDict({}, { strict: false })).toEqual(nothing);
  });

  it('switch modes all the way down', async () => {
    const drop = new nn.Dropout({ p: 1 });
    const net = new nn.Sequential(new nn.Sequential(drop));
    const x = tensor([1, 2]);
    expect(await net.forward(x).array()).toEqual([0, 0]);
    net.eval();
    expect(drop.training).toBe(false);
    expect(await net.forward(x).array()).toEqual([1, 2]);
    net.train();
    expect(drop.training).toBe(true);
  });

  it('draw weights from U(-1/√in, 1/√in)', async () => {
    const { weight, bias } = new nn.Linear(25, 400);
    const values = [...(await weight.data())];
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.2);
    const variance = values.reduce((total, v) => total + v * v, 0) / values.length;
    expect(variance).toBeCloseTo(0.04 / 3, 3);
    expect(Math.abs(values.reduce((total, v) => total + v, 0) / values.length)).toBeLessThan(0.006);
    expect(bias?.shape).toEqual([400]);
  });

  it('free what they hold', () => {
    const before = device.stats().liveBuffers;
    const net = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));
    scope(() => {
      sum(net.forward(tensor([[1, 2, 3]]))).backward();
    });
    expect(device.stats().liveBuffers).toBe(before + 8);
    net.zeroGrad();
    expect(net.parameters().every(({ grad }) => grad === null)).toBe(true);
    net.dispose();
    expect(net.parameters().every(({ disposed }) => disposed)).toBe(true);
    expect(device.stats().liveBuffers).toBe(before);
  });

  it('flatten the dimensions they are told', () => {
    const x = tensor(new Float32Array(24), { shape: [2, 3, 4] });
    expect(new nn.Flatten().forward(x).shape).toEqual([2, 12]);
    expect(new nn.Flatten({ startDim: 0, endDim: 1 }).forward(x).shape).toEqual([6, 4]);
    expect(new nn.Flatten({ startDim: -1 }).forward(x).shape).toEqual([2, 3, 4]);
  });
});

describe('the state of an optimizer', () => {
  const kinds: Readonly<Record<string, (w: Tensor) => optim.Optimizer>> = {
    'SGD without momentum': (w) => new optim.SGD([w], { lr: 0.1 }),
    'SGD with momentum': (w) => new optim.SGD([w], { lr: 0.1, momentum: 0.9 }),
    Adam: (w) => new optim.Adam([w], { lr: 0.1 }),
    'Adam with amsgrad': (w) => new optim.Adam([w], { lr: 0.1, amsgrad: true }),
  };
  const steps = (optimizer: optim.Optimizer, w: Tensor, count: number) => {
    for (let i = 0; i < count; i++) {
      optimizer.zeroGrad();
      sum(mul(w, w)).backward();
      optimizer.step();
    }
  };

  it.each(Object.keys(kinds))('goes on where it was: %s', async (kind) => {
    const make = kinds[kind];
    if (!make) throw new Error(kind);
    const [w, straight] = [
      [1, -2],
      [1, -2],
    ].map((v) => tensor(v, { device, requiresGrad: true }));
    if (!w || !straight) throw new Error('no tensors');
    steps(make(straight), straight, 7);
    const first = make(w);
    steps(first, w, 4);
    const again = tensor(await w.data(), { device, requiresGrad: true });
    const second = make(again);
    second.loadStateDict(first.stateDict());
    steps(second, again, 3);
    expect(await again.data()).toEqual(await straight.data());
    // copies: the first one goes on by itself
    steps(first, w, 3);
    expect(await w.data()).toEqual(await straight.data());
  });

  it('of other parameters is refused, and changes nothing', async () => {
    const [a, b] = [
      [1, 2],
      [1, 2, 3],
    ].map((v) => tensor(v, { device, requiresGrad: true }));
    if (!a || !b) throw new Error('no tensors');
    const [first, second] = [new optim.Adam([a]), new optim.Adam([b])];
    steps(first, a, 1);
    expect(() => second.loadStateDict(first.stateDict())).toThrow(NonlinError);
    expect(() => second.loadStateDict({ steps: [], state: [] })).toThrow(OptionError);
    expect(second.stateDict()).toMatchObject({ steps: [0], state: [[]] });
  });
});
