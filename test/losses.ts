// Takes a backend, and gives tests of what a declared loss offers besides its values: reductions, weights, options,
// modules, and gradients that are there when the loss is; both lanes run them.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../src/catalog.ts';
import * as nonlin from '../src/index.ts';
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  checkGradient,
  defineLoss,
  diceLoss,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  jsd,
  klDiv,
  lossModule,
  mseLoss,
  nn,
  noGrad,
  OptionError,
  scope,
  sigmoid,
  sub,
  sum,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { familyOf, argumentsOf, resultOf } from './calls.ts';
import { openOn } from './open.ts';

/** Three inputs, one of them without a gradient, a weight, a boolean option and a divergence's default reduction. */
const blend = defineLoss({
  name: 'blend',
  inputs: ['left', 'right', 'share'],
  differentiable: ['left', 'right'],
  weights: ['weight'],
  params: { squared: false, slope: 1 },
  reductions: ['batchmean', 'mean', 'sum', 'none'],
  wgsl: `
    fn loss(left: f32, right: f32, share: f32, weight: f32, p: Params) -> f32 {
      let d = left - share * right;
      return weight * p.slope * select(d, d * d, p.squared != 0u);
    }
    fn loss_grad(left: f32, right: f32, share: f32, weight: f32, grad_output: f32, p: Params) -> vec2f {
      let d = left - share * right;
      let g = weight * p.slope * select(1.0, 2.0 * d, p.squared != 0u) * grad_output;
      return vec2f(g, -share * g);
    }`,
  forward: (left, right, share, weight, { squared, slope }) => {
    const d = left - share * right;
    return weight * slope * (squared ? d * d : d);
  },
  backward: (left, right, share, weight, gradOutput, { squared, slope }) => {
    const d = left - share * right;
    const g = weight * slope * (squared ? 2 * d : 1) * gradOutput;
    return [g, -share * g];
  },
  largestTerm: {
    forward: (left, right, share, _weight, { squared }) => {
      const most = Math.max(Math.abs(left), Math.abs(share * right));
      return squared ? most * most : most;
    },
    backward: (left, right, share, _weight, { squared }) => {
      const most = squared ? 2 * Math.max(Math.abs(left), Math.abs(share * right)) : 0;
      return [most, Math.abs(share) * most];
    },
  },
});
class BlendLoss extends lossModule(blend) {}

/** PyTorch's class names and ours. */
const MODULES = {
  smoothL1Loss: 'SmoothL1Loss',
  binaryCrossEntropy: 'BCELoss',
  binaryCrossEntropyWithLogits: 'BCEWithLogitsLoss',
  klDiv: 'KLDivLoss',
  poissonNllLoss: 'PoissonNLLLoss',
  gaussianNllLoss: 'GaussianNLLLoss',
  hingeEmbeddingLoss: 'HingeEmbeddingLoss',
  softMarginLoss: 'SoftMarginLoss',
  marginRankingLoss: 'MarginRankingLoss',
  sigmoidFocalLoss: 'SigmoidFocalLoss',
  jsd: 'JSDLoss',
  diceLoss: 'DiceLoss',
  polyLoss: 'PolyLoss',
  generalizedCrossEntropy: 'GeneralizedCrossEntropyLoss',
  arcFaceLoss: 'ArcFaceLoss',
  cosFaceLoss: 'CosFaceLoss',
  diceWithLogits: 'DiceWithLogitsLoss',
  jaccardLoss: 'JaccardLoss',
  tverskyLoss: 'TverskyLoss',
  focalTverskyLoss: 'FocalTverskyLoss',
  mseLoss: 'MSELoss',
  l1Loss: 'L1Loss',
  huberLoss: 'HuberLoss',
} as const;

export function lossesSuite(backend: 'cpu' | 'webgpu'): void {
  describe(`losses on ${backend}`, () => {
    let device: Device;
    beforeAll(async () => {
      device = await openOn(backend);
    });
    afterEach(() => device.synchronize());
    afterAll(() => {
      device.dispose();
    });
    const leaf = (data: number[] | number[][]): Tensor =>
      tensor(data, { device, requiresGrad: true });

    for (const [op, name] of Object.entries(MODULES)) {
      it(`nn.${name} is ${op} with its options`, async () => {
        const call = familyOf(op).valid(op);
        const { tensors, options } = argumentsOf(call, device);
        const Class = Reflect.get(nn, name) as new (options: object) => nn.Module;
        const inputs = Object.keys(call.positional).flatMap((input) => tensors[input] ?? []);
        const result = new Class(options).forward(...inputs);
        expect(await result.array()).toEqual(await resultOf(call, { tensors, options }).array());
      });
    }

    it('weights are part of a module’s state, by PyTorch’s names', async () => {
      const module = new nn.BCEWithLogitsLoss({
        weight: tensor([1, 2], { device }),
        posWeight: tensor([3, 1], { device }),
      });
      expect(Object.keys(module.stateDict())).toEqual(['weight', 'pos_weight']);
      const [input, target] = [tensor([0, 0], { device }), tensor([1, 0], { device })];
      expect(await module.forward(input, target).item()).toBeCloseTo(2.5 * Math.LN2, 6);
      module.loadStateDict({
        weight: tensor([1, 1], { device }),
        pos_weight: tensor([1, 1], { device }),
      });
      expect(await module.forward(input, target).item()).toBeCloseTo(Math.LN2, 6);
    });

    it('an own loss has inputs, weights, options and reductions of its own', async () => {
      const left = leaf([
        [1, 2],
        [3, 4],
      ]);
      const [right, share] = [leaf([1, 1]), tensor([[0.5], [1]], { device })];
      const weight = tensor([1, 10], { device });
      // (0.5 + 15 + 2 + 30) / 2, then with squares
      expect(await blend(left, right, share, { weight }).item()).toBe(23.75);
      const loss = blend(left, right, share, { weight, squared: true, reduction: 'sum' });
      expect(await loss.item()).toBe(0.25 + 22.5 + 4 + 90);
      loss.backward();
      expect(await left.grad?.array()).toEqual([
        [1, 30],
        [4, 60],
      ]);
      // summed over the rows it was repeated along
      expect(await right.grad?.array()).toEqual([-0.5 - 4, -15 - 60]);
      expect(share.grad).toBeNull();
      expect(await blend(left, right, share, { reduction: 'none' }).array()).toEqual([
        [0.5, 1.5],
        [2, 3],
      ]);
      const module = new BlendLoss({ squared: true, reduction: 'mean' });
      expect(await module.forward(left, right, share).item()).toBe((0.25 + 2.25 + 4 + 9) / 4);
      expect(() => blend(left, right, share, { squared: 1 as never })).toThrow(OptionError);
      expect(() => blend(left, right, share, { posWeight: weight } as never)).toThrow(OptionError);
    });

    it('an own loss is checked by checkGradient, with and without its weight', async () => {
      expect(await checkGradient(blend, { device })).toMatchObject({ ok: true });
      expect(await checkGradient(blend, { device, options: { squared: true } })).toMatchObject({
        ok: true,
      });
      const forgetful = defineLoss({
        name: 'forgetful',
        weights: ['weight'],
        wgsl: `fn loss(a: f32, b: f32, weight: f32, p: Params) -> f32 { return weight * a * b; }
fn loss_grad(a: f32, b: f32, weight: f32, g: f32, p: Params) -> vec2f { return vec2f(b * g, weight * a * g); }`,
        forward: (a, b, weight) => weight * a * b,
        backward: (a, b, weight, g) => [b * g, weight * a * g],
      });
      expect((await checkGradient(forgetful, { device })).ok).toBe(false);
    });

    it('the backward of a reduced loss launches nothing', { timeout: 60_000 }, async () => {
      const values = [
        [0.1, 0.9, 0.5],
        [0.25, 0.75, 0.3],
      ];
      for (const op of catalog.filter(({ op: name }) => name in MODULES)) {
        const call = familyOf(op.op).valid(op.op);
        const { tensors, options } = argumentsOf(call, device, { grad: true });
        const loss = resultOf(call, { tensors, options: { ...options, reduction: 'sum' } });
        await device.synchronize();
        const before = device.stats().dispatches;
        loss.backward();
        await device.synchronize();
        expect(device.stats().dispatches - before, op.op).toBe(0);
        expect(await tensors[call.differentiable[0] ?? '']?.grad?.data()).toBeDefined();
      }
      // where an input is repeated, too
      const [input, target] = [leaf(values), leaf([0.5, 0.1, 0.2])];
      const loss = mseLoss(input, target);
      await device.synchronize();
      const before = device.stats().dispatches;
      loss.backward();
      await device.synchronize();
      expect(device.stats().dispatches).toBe(before);
      expect(target.grad?.shape).toEqual([3]);
    });

    it('gradients are right for an upstream gradient other than 1, and where only some are needed', async () => {
      const [input, target] = [leaf([1, 2]), tensor([0, 0], { device })];
      const loss = mseLoss(input, target);
      loss.backward(tensor(3, { device }));
      expect(await input.grad?.array()).toEqual([3, 6]);
      const mean = tensor([0, 0], { device });
      const variance = leaf([1, 4]);
      gaussianNllLoss(mean, tensor([0, 4], { device }), variance, { reduction: 'sum' }).backward();
      expect(await variance.grad?.array()).toEqual([0.5, -0.375]);
      const p = leaf([1, 0]);
      diceLoss(p, tensor([1, 0], { device })).backward(tensor(2, { device }));
      // (h - t) 2 / s with h = 1.5 / 3 and s = 3
      const want = [-2 / 3, 2 / 3];
      (await p.grad?.data())?.forEach((g, i) => {
        expect(g).toBeCloseTo(want[i] ?? NaN, 6);
      });
    });

    it('a target without a gradient records nothing', () => {
      const [input, target] = [tensor([1, 2], { device }), leaf([1, -1])];
      expect(hingeEmbeddingLoss(input, target).requiresGrad).toBe(false);
    });

    it('divides by the first dimension for batchmean, and by nothing for a scalar', async () => {
      const p = tensor(
        [
          [0.5, 0.5],
          [0.25, 0.75],
        ],
        { device },
      );
      const logs = tensor(
        [
          [0, 0],
          [0, 0],
        ],
        { device },
      );
      const want = (2 * 0.5 * Math.log(0.5) + 0.25 * Math.log(0.25) + 0.75 * Math.log(0.75)) / 2;
      expect(await klDiv(logs, p, { reduction: 'batchmean' }).item()).toBeCloseTo(want, 6);
      const one = tensor(0, { device });
      expect(await jsd(one, tensor(-1, { device })).item()).toBeGreaterThan(0);
    });

    it('values outside of a loss’s domain are refused where the host knows them', async () => {
      const half = tensor([0.5, 0.5], { device });
      for (const dtype of ['float32', 'float16'] as const) {
        const target = tensor([0.5, 0.5], { device, dtype });
        expect(() => binaryCrossEntropy(tensor([0.5, 1.5], { device, dtype }), target)).toThrow(
          'binaryCrossEntropy: input: expected elements from 0 to 1, received 1.5',
        );
      }
      const x = tensor([0.75, 0.5], { device });
      // computed here, so known to the CPU only
      const computed = sub(x, tensor([1, 0], { device }));
      if (backend === 'cpu') {
        expect(() => binaryCrossEntropy(computed, half)).toThrow(OptionError);
      } else {
        expect(await binaryCrossEntropy(computed, half).item()).toBeNaN();
        expect(await gaussianNllLoss(half, half, computed).item()).toBeNaN();
      }
      // what was written over it is what counts
      noGrad(() => sigmoid(x, { out: x }));
      expect(await binaryCrossEntropy(x, half).item()).toBeGreaterThan(0);
    });

    it('tails stay exact', async () => {
      const far = leaf([-40, 40]);
      const labels = tensor([0, 1], { device });
      const loss = binaryCrossEntropyWithLogits(far, labels, { reduction: 'none' });
      for (const value of await loss.data()) expect(value / Math.exp(-40)).toBeCloseTo(1, 5);
      sum(loss).backward();
      const grads = (await far.grad?.data()) ?? [];
      expect((grads[0] ?? NaN) / Math.exp(-40)).toBeCloseTo(1, 5);
      expect((grads[1] ?? NaN) / -Math.exp(-40)).toBeCloseTo(1, 5);
      const margin = nonlin.softMarginLoss(
        tensor([-1e4, 1e30], { device }),
        tensor([1, -1], { device }),
        { reduction: 'none' },
      );
      expect(await margin.array()).toEqual([1e4, Math.fround(1e30)]);
      const near = jsd(tensor([-1], { device }), tensor([-1.001], { device }));
      expect((await near.item()) / 4.5962e-8).toBeCloseTo(1, 2);
    });

    it('leaves nothing behind', async () => {
      const before = device.stats().liveBuffers;
      scope(() => {
        for (const op of Object.keys(MODULES)) {
          const call = familyOf(op).valid(op);
          resultOf(call, argumentsOf(call, device, { grad: true }));
        }
      });
      await device.synchronize();
      expect(device.stats().liveBuffers).toBe(before);
    });
  });
}
