// Groups of parameters: what their options do, how they are changed, kept and refused.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  init,
  nn,
  NonlinError,
  optim,
  OptionError,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

const leaf = (...values: number[]): Tensor => tensor(values, { device, requiresGrad: true });

/** A step with gradients of 1. */
function step(optimizer: optim.Optimizer, ...params: Tensor[]): void {
  for (const w of params) w.grad = tensor(new Float32Array(w.size).fill(1), { device });
  optimizer.step();
}

describe('groups', () => {
  it('have options of their own, and the rest from the optimizer', async () => {
    const [a, b] = [leaf(1), leaf(1)];
    const optimizer = new optim.SGD([{ params: [a], lr: 0.5 }, { params: b }], {
      lr: 0.25,
      weightDecay: 1,
    });
    expect(optimizer.paramGroups).toMatchObject([
      { params: [a], lr: 0.5, weightDecay: 1, momentum: 0 },
      { params: [b], lr: 0.25, weightDecay: 1 },
    ]);
    step(optimizer, a, b);
    expect([await a.item(), await b.item()]).toEqual([0, 0.5]);
  });

  it('may be changed between steps, one by one or all rates at once', async () => {
    const [a, b] = [leaf(0), leaf(0)];
    const optimizer = new optim.SGD([{ params: [a] }, { params: [b] }], { lr: 1 });
    const [first, second] = optimizer.paramGroups;
    if (!first || !second) throw new Error('no groups');
    second.lr = 0.5;
    first.maximize = true;
    step(optimizer, a, b);
    expect([await a.item(), await b.item()]).toEqual([1, -0.5]);
    expect(optimizer.lr).toBe(1);
    optimizer.lr = 2;
    expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([2, 2]);
    step(optimizer, a, b);
    expect([await a.item(), await b.item()]).toEqual([3, -2.5]);
  });

  it('are added later', async () => {
    const [a, b] = [leaf(0), leaf(0)];
    const optimizer = new optim.Adam([a], { lr: 0.5 });
    step(optimizer, a);
    optimizer.addParamGroup({ params: [b], lr: 0.25, betas: [0.5, 0.5] });
    step(optimizer, a, b);
    expect(await b.item()).toBeCloseTo(-0.25, 6);
    expect(await a.item()).toBeCloseTo(-1, 6);
    expect(optimizer.stateDict().steps).toEqual([2, 1]);
    optimizer.zeroGrad();
    expect([a.grad, b.grad]).toEqual([null, null]);
  });

  it('leave weight decay away from biases and norms', async () => {
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.PReLU());
    const decayed = model.parameters().filter(({ rank }) => rank >= 2);
    const others = model.parameters().filter(({ rank }) => rank < 2);
    const optimizer = new optim.AdamW([{ params: decayed }, { params: others, weightDecay: 0 }], {
      lr: 0.5,
      weightDecay: 0.5,
    });
    const before = await Promise.all(model.parameters().map((w) => w.data()));
    for (const w of model.parameters()) {
      w.grad = tensor(new Float32Array(w.size), { shape: w.shape, device });
    }
    optimizer.step();
    const after = await Promise.all(model.parameters().map((w) => w.data()));
    // Where the gradient is 0, nothing but decay is left: times 1 - 0.5 · 0.5.
    expect(after[0]).toEqual(before[0]?.map((w) => w * 0.75));
    expect(after.slice(1)).toEqual(before.slice(1));
  });

  it('may be empty', () => {
    const optimizer = new optim.SGD([{ params: [leaf(1)] }, { params: [] }]);
    expect(optimizer.paramGroups).toHaveLength(2);
    optimizer.step();
  });

  it('do not share what they were given', () => {
    const betas: [number, number] = [0.5, 0.5];
    const optimizer = new optim.Adam([{ params: [leaf(1)] }, { params: [leaf(1)] }], { betas });
    betas[0] = 0.25;
    expect(optimizer.paramGroups.map((group) => group.betas)).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
  });

  it('turn a momentum on and off on the way', async () => {
    const w = leaf(0);
    const optimizer = new optim.SGD([w], { lr: 1 });
    step(optimizer, w);
    const [group] = optimizer.paramGroups;
    if (!group) throw new Error('no group');
    group.momentum = 0.5;
    step(optimizer, w);
    step(optimizer, w);
    // -1, then a buffer of 1, then one of 1.5.
    expect(await w.item()).toBe(-3.5);
    group.momentum = 0;
    step(optimizer, w);
    expect(await w.item()).toBe(-4.5);
  });

  it('go into the state and come back from it', async () => {
    const make = (): [Tensor, Tensor, optim.Adam] => {
      const [a, b] = [leaf(1, 2), leaf(3)];
      return [a, b, new optim.Adam([{ params: [a] }, { params: [b], weightDecay: 0.5 }])];
    };
    const [a, b, first] = make();
    first.lr = 0.5;
    for (const group of first.paramGroups) group.betas = [0.25, 0.75];
    step(first, a, b);
    const saved = first.stateDict();
    expect(JSON.parse(JSON.stringify(saved.paramGroups))).toEqual(saved.paramGroups);
    expect(saved.paramGroups?.map(({ params }) => params)).toEqual([[0], [1]]);
    const [c, d, second] = make();
    second.loadStateDict(saved);
    expect(second.paramGroups.map(({ params: _, ...options }) => options)).toEqual(
      first.paramGroups.map(({ params: _, ...options }) => options),
    );
    expect(second.paramGroups.map(({ params }) => params)).toEqual([[c], [d]]);
    // A state without options, as it was written before there were groups.
    const [, , third] = make();
    third.loadStateDict({ steps: saved.steps, state: saved.state });
    expect(third.lr).toBe(1e-3);
    expect(await third.stateDict().state[1]?.[0]?.data()).toEqual(
      await saved.state[1]?.[0]?.data(),
    );
    // One of AdamW's keeps its decay apart whatever it is given.
    const [e, f] = [leaf(1, 2), leaf(3)];
    const decoupled = new optim.AdamW([{ params: [e] }, { params: [f] }]);
    decoupled.loadStateDict(saved);
    expect(decoupled.paramGroups).toMatchObject([{ decoupledWeightDecay: true }, { lr: 0.5 }]);
  });

  it('of another kind or number are not taken, and nothing changes', () => {
    const [a, b] = [leaf(1), leaf(2)];
    const one = new optim.SGD([a, b]);
    const two = new optim.SGD([{ params: [a] }, { params: [b] }]);
    const before = two.stateDict();
    const groups = before.paramGroups ?? [];
    const bad: unknown[] = [
      one.stateDict(),
      new optim.RMSprop([{ params: [leaf(1)] }, { params: [leaf(1)] }]).stateDict(),
      { ...before, paramGroups: 5 },
      { ...before, paramGroups: [5, 5] },
      { ...before, paramGroups: groups.map((group) => ({ ...group, params: [0] })) },
      { ...before, paramGroups: groups.map((group) => ({ ...group, momentum: -1 })) },
      { ...before, paramGroups: groups.map((group) => ({ ...group, lr: NaN })) },
    ];
    for (const state of bad) {
      expect(() => {
        two.loadStateDict(state as optim.OptimizerState);
      }, JSON.stringify(state)).toThrow(OptionError);
      expect(two.stateDict()).toEqual(before);
    }
  });

  it('are refused where they cannot be used', () => {
    const [w, v] = [leaf(1), leaf(1)];
    type Given = ConstructorParameters<typeof optim.Adam>[0];
    const bad: [unknown, string][] = [
      [[{ params: [w], learningRate: 1 }], 'learningRate'],
      [[{ params: [w], lr: -1 }], 'parameters[0].lr'],
      [[{ params: [w] }, { params: [v], betas: [1, 1] }], 'parameters[1].betas'],
      [[{ params: [w] }, { params: [v, w] }], 'parameters[1].params[1]'],
      [[{ params: [w] }, v], 'parameters[1]'],
      [[{ params: 5 }], 'parameters[0].params'],
      [[{ lr: 1 }], 'parameters[0].params'],
      [[{ params: [w], lr: tensor([1], { device }) }], 'parameters[0].lr'],
      [[{ params: [5] }], 'parameters[0].params[0]'],
      [[w, { params: [v] }], 'parameters[1]'],
    ];
    for (const [given, argument] of bad) {
      let thrown: unknown;
      try {
        new optim.Adam(given as Given);
      } catch (error) {
        thrown = error;
      }
      expect(thrown, argument).toBeInstanceOf(NonlinError);
      expect(thrown).toMatchObject({ op: 'Adam', argument });
    }
    const optimizer = new optim.Adam([w]);
    const groups = optimizer.paramGroups.length;
    for (const [group, argument] of [
      [{ params: [w] }, 'group.params[0]'],
      [{ params: [v], lr: -1 }, 'group.lr'],
      [[v], 'group'],
    ] as const) {
      expect(() => {
        optimizer.addParamGroup(group as unknown as { params: Tensor[] });
      }, argument).toThrow(argument);
    }
    expect(optimizer.paramGroups).toHaveLength(groups);
    const rate = tensor([0.1], { device }) as unknown as number;
    expect(() => new optim.Adam([w], { lr: rate })).toThrow('await lr.item()');
    expect(() => {
      optimizer.lr = rate;
    }).toThrow('await lr.item()');
  });

  it('that were changed to what cannot be used stop the next step, before anything is written', async () => {
    const w = leaf(1);
    const optimizer = new optim.Adam([w]);
    const [group] = optimizer.paramGroups;
    if (!group) throw new Error('no group');
    group.eps = -1;
    expect(() => {
      step(optimizer, w);
    }).toThrow('paramGroups[0].eps');
    expect(await w.item()).toBe(1);
    expect(optimizer.stateDict().steps).toEqual([0]);
  });
});
