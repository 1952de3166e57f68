// Where float32 ends, and calls with nothing in them: the same on the CPU and by both plans, as PyTorch has it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  focalLoss,
  init,
  klDiv,
  l1Loss,
  linear,
  marginRankingLoss,
  mean,
  mseLoss,
  mul,
  nllLoss,
  optim,
  poissonNllLoss,
  sigmoidFocalLoss,
  smoothL1Loss,
  sum,
  tensor,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { openGpu } from '../open.ts';

const devices = new Map<string, Device>();
beforeAll(async () => {
  devices.set('CPU', await init({ backend: 'cpu' }));
  devices.set('as it is', await openGpu());
  devices.set('as hardware', await openGpu({ tuning: 'hardware' }));
});
afterAll(() => {
  for (const device of devices.values()) device.dispose();
});

async function numbers(x: Tensor | null): Promise<number[]> {
  return [...((await x?.data()) ?? [])];
}

/** Equal but for a few ULP; NaN and infinities exactly. */
function near(got: readonly number[], want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  got.forEach((value, i) => {
    const e = want[i] ?? NaN;
    if (Number.isFinite(e)) expect(Math.abs(value - e)).toBeLessThanOrEqual(Math.abs(e) * 1e-6);
    else expect(value).toBe(e);
  });
}

describe.each(['CPU', 'as it is', 'as hardware'])('%s', (name) => {
  let device: Device;
  beforeAll(() => {
    const made = devices.get(name);
    if (!made) throw new Error(`no device ${name}`);
    device = made;
  });
  const vector = (values: number[], requiresGrad = false): Tensor =>
    tensor(values, { device, requiresGrad });

  it('the logarithm of a rate near 1 keeps eps, which a large target multiplies', async () => {
    const loss = poissonNllLoss(vector([1, 1.5, 0]), vector([1e9, -1e9, 2]), {
      logInput: false,
      reduction: 'none',
    });
    near(await numbers(loss), [
      1 - 1e9 * Math.log1p(1e-8),
      1.5 + 1e9 * Math.log(1.5 + 1e-8),
      -2 * Math.log(Math.fround(1e-8)),
    ]);
  });

  it('which of two numbers is larger is told where their difference is below 2^-126', async () => {
    // A device may take such a difference for 0.
    const [a, b] = [2e-38, 1.5e-38];
    const sloped = [
      (x: Tensor, y: Tensor) => l1Loss(x, y, { reduction: 'sum' }),
      (x: Tensor, y: Tensor) => smoothL1Loss(x, y, { reduction: 'sum', beta: 0 }),
      (x: Tensor, y: Tensor) => marginRankingLoss(x, y, vector([-1, -1]), { reduction: 'sum' }),
    ];
    for (const loss of sloped) {
      const [x, y] = [vector([a, b], true), vector([b, a], true)];
      loss(x, y).backward();
      near(await numbers(x.grad), loss === sloped[2] ? [1, 0] : [1, -1]);
      near(await numbers(y.grad), loss === sloped[2] ? [-1, 0] : [-1, 1]);
    }
  });

  it('a bias of null is none', async () => {
    const x = tensor([[1, 2, 3]], { device, requiresGrad: true });
    const weight = tensor([[1, 1, 1]], { device, requiresGrad: true });
    const y = linear(x, weight, { bias: null });
    y.backward();
    expect(await numbers(y)).toEqual([6]);
    expect(await numbers(weight.grad)).toEqual([1, 2, 3]);
  });

  it('scores of no classes have a mean of NaN, and no loss', async () => {
    const none = (): Tensor =>
      tensor(new Float32Array(0), { shape: [5, 0], device, requiresGrad: true });
    const ignored = tensor(new Int32Array(5).fill(-100), { dtype: 'int32', device });
    for (const [reduction, want] of [
      ['mean', [NaN]],
      ['sum', [0]],
      ['none', [0, 0, 0, 0, 0]],
    ] as const) {
      const calls = [
        (x: Tensor) => crossEntropy(x, none().detach(), { reduction }),
        (x: Tensor) => crossEntropy(x, ignored, { reduction, labelSmoothing: 0.1 }),
        (x: Tensor) => focalLoss(x, ignored, { reduction }),
        (x: Tensor) => nllLoss(x, ignored, { reduction }),
      ];
      for (const call of calls) {
        const x = none();
        const loss = call(x);
        expect(await numbers(loss)).toEqual(want);
        sum(loss).backward();
        expect(x.grad?.shape).toEqual([5, 0]);
      }
    }
  });

  it('a class of weight 0 that is impossible makes a smoothed loss NaN', async () => {
    const x = tensor([-Infinity, 2, 3, 0, 1, 0], { shape: [2, 3], device, requiresGrad: true });
    const weight = vector([0, 1, 2]);
    const target = tensor([0, 0], { dtype: 'int32', device });
    const options = { weight, labelSmoothing: 0.1, reduction: 'none' as const };
    const loss = crossEntropy(x, target, options);
    near(await numbers(loss), [NaN, 0.121811144]);
    sum(loss).backward();
    const grad = await numbers(x.grad);
    const want = [0, -0.006439193, 0.006439193, 0.021194158, 0.024278361, -0.04547251];
    grad.forEach((value, i) => {
      expect(value).toBeCloseTo(want[i] ?? NaN, 7);
    });
  });

  it('the gradient of a squared error holds for differences past half of float32', async () => {
    const x = vector([2e38, 1], true);
    mseLoss(x, vector([0, 0])).backward();
    near(await numbers(x.grad), [2e38, 1]);
  });

  it('a mean, and a sum of both signs, is finite where sums on the way are not', async () => {
    for (const n of [2, 5000, 70_000]) {
      const x = new Float32Array(n).fill(3e38);
      near([await mean(tensor(x, { device })).item()], [3e38]);
      const rows = tensor([...x, ...x], { shape: [2, n], device });
      near(await numbers(mean(rows, { dim: 1 })), [3e38, 3e38]);
      near(await numbers(mean(rows, { dim: 0 })).then((row) => row.slice(0, 2)), [3e38, 3e38]);
      const turns = Float32Array.from(x, (value, i) => (i % 2 === 0 ? value : -value));
      turns[n - 1] = 1.5;
      near([await sum(tensor(turns, { device })).item()], [n % 2 === 0 ? 3e38 : 1.5]);
      expect(await sum(tensor(x, { device })).item()).toBe(Infinity);
      x[1] = -Infinity;
      expect(await mean(tensor(x, { device })).item()).toBe(-Infinity);
    }
    near([await mseLoss(vector([1.5e19, 1.5e19]), vector([0, 0])).item()], [2.25e38]);
  });

  it('Adam takes gradients whose squares float32 does not hold', async () => {
    const w = tensor([0, 0, 0], { device, requiresGrad: true });
    const adam = new optim.Adam([w], { lr: 0.1 });
    for (const want of [
      [0, -0.1, -1e-18],
      [0, -0.2, -2e-18],
    ]) {
      w.grad = vector([1e25, 1e20, 1e-25]);
      adam.step();
      near(await numbers(w), want);
    }
  });

  it('the gradient of klDiv takes the upstream one before e^t', async () => {
    const x = vector([-3.4e38, -3.4e38], true);
    const t = vector([0.3, -44], true);
    const loss = klDiv(x, t, { logTarget: true, reduction: 'none' });
    loss.backward(vector([-0.111, 1]));
    near(await numbers(t.grad), [-0.111 * 3.4e38 * Math.exp(0.3), 3.4e38 * Math.exp(-44)]);
    near(await numbers(x.grad), [0.111 * Math.exp(0.3), -Math.exp(-44)]);
  });

  it('the gradient of sigmoidFocalLoss divides by a miss near 2^-119', async () => {
    const x = -1.8364334579289698e38;
    const miss = 1.783135390588656e-36;
    const target = vector([miss], true);
    sigmoidFocalLoss(vector([x]), target, { gamma: 0.5 }).backward(vector([1]));
    near(await numbers(target.grad), [0.75 * 1.5 * -x * Math.sqrt(miss)]);
  });

  it('a margin is not lost next to large distances', async () => {
    // float64 has nothing left of it beside 1e20
    for (const [distance, want] of [
      [1e9, 0.5],
      [1e15, 0.5],
      [1e20, 0],
    ] as const) {
      for (const p of [1, 2, 3]) {
        const anchor = tensor([[distance, 0]], { device });
        const other = tensor([[0, 0]], { device });
        const loss = tripletMarginLoss(anchor, other, other, { p, eps: 0, margin: 0.5 });
        near(await numbers(loss), [want]);
      }
    }
  });

  it('the sign of margin + near - far is exact', async () => {
    const small = 2 ** -30;
    const rows = [
      // near, far, and the loss
      [1e9, 1e9, 1],
      [1e15, 1e15, 1],
      [1e18, 1e18, 0],
      [small, 1, small],
      [-small, 1, 0],
      [1e30, 1e9, 1e30],
      [Infinity, 1, Infinity],
      [1, Infinity, 0],
      [Infinity, Infinity, NaN],
    ];
    const column = (k: number): Tensor =>
      vector(
        rows.map((row) => row[k] ?? NaN),
        true,
      );
    const [positive, negative] = [column(0), column(1)];
    const one = vector(rows.map(() => 1));
    for (const swap of [false, true]) {
      // of distances that are the second vectors: from positive to negative it is that from the anchor
      const loss = tripletMarginWithDistanceLoss(one, positive, negative, {
        distanceFunction: (_, y) => mul(one, y),
        reduction: 'none',
        swap,
      });
      near(
        await numbers(loss),
        rows.map(([, , value]) => value ?? NaN),
      );
    }
  });
});
