// Tests of the gradients of ops against central differences of themselves, in float64.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { manualSeed, noGrad, tensor, type Tensor } from '../src/index.ts';
import {
  apply,
  argumentsOf,
  callsOf,
  elementwise,
  familyOf,
  resultOf,
  upstreamOf,
  type Arguments,
  type Call,
} from './calls.ts';
import { Float64Device, valuesOf } from './unit/float64-device.ts';

const device = new Float64Device();

/** Other ops with kinks, or jumps, among the values drawn. */
const KINKED = [
  'multiMarginLoss',
  'multilabelMarginLoss',
  'l1Loss',
  'huberLoss',
  'smoothL1Loss',
  'hingeEmbeddingLoss',
  'marginRankingLoss',
  'poissonNllLoss',
  'sparsemax',
  // At the limit of the clamps.
  'swiglu',
];

/** Elements of a tensor that are perturbed. */
const SAMPLED = 12;

/** The result of a call, of what is behind its arguments where its gradient is. */
function valueOf(call: Call, args: Arguments): Tensor {
  const { through } = familyOf(call.op);
  return through ? (apply(call, args, through(args)) as Tensor) : resultOf(call, args);
}

/** sum(upstream · result): a scalar function of everything the call reads. */
function scalar(call: Call, args: Arguments, upstream: readonly number[]): number {
  manualSeed(1);
  const out = noGrad(() => valueOf(call, args));
  return valuesOf(out).reduce((total, value, i) => total + value * (upstream[i] ?? NaN), 0);
}

function checkGradients(call: Call, seed: number): void {
  // A kink within the step is no derivative. Off one, second differences are tiny: the functions bend by less than 100. One
  // of little weight is not seen by that: it puts the slope off by its second difference over 2 h.
  const kinked =
    elementwise.includes(call.op) ||
    KINKED.includes(call.op) ||
    (familyOf(call.op).kinked ?? false);
  const args = argumentsOf(call, device, { grad: true });
  manualSeed(1);
  const out = valueOf(call, args);
  // The mean of nothing has no slope.
  fc.pre(valuesOf(out).every(Number.isFinite));
  const weights = upstreamOf(out.shape, seed).data;
  if (call.differentiable.length > 0) {
    out.backward(tensor([...weights], { shape: out.shape, dtype: out.dtype, device }));
  }
  for (const name of call.differentiable) {
    const input = args.tensors[name];
    const grad = input?.grad;
    if (!grad) throw new Error(`no gradient for ${name}`);
    const [x, g] = [valuesOf(input), valuesOf(grad)];
    const step = Math.max(1, Math.floor(x.length / SAMPLED));
    for (let i = seed % step; i < x.length; i += step) {
      const at = x[i] ?? NaN;
      const h = 1e-5;
      x[i] = at + h;
      const above = scalar(call, args, weights);
      x[i] = at - h;
      const below = scalar(call, args, weights);
      x[i] = at;
      const bend = kinked ? Math.abs(above - 2 * scalar(call, args, weights) + below) : 0;
      if (bend > 1e-8) continue;
      const slope = (above - below) / (2 * h);
      const size = Math.max(Math.abs(slope), Math.abs(above) * 1e-3, 1);
      if (!(Math.abs((g[i] ?? NaN) - slope) <= 2e-6 * size + bend / (2 * h))) {
        expect.fail(`d/d${name}[${i}] = ${g[i] ?? NaN}, by differences ${slope}`);
      }
    }
  }
}

/** A test for each of some ops, of so many calls. */
export function gradientSuite(ops: readonly string[], runs = 40): void {
  for (const op of ops) {
    if (familyOf(op).heldFixed?.includes(op)) continue;
    it(op, { timeout: 30_000 }, () => {
      let checked = 0;
      fc.assert(
        fc.property(callsOf(op, 'smooth'), fc.nat(), (call, seed) => {
          checkGradients(call, seed);
          checked++;
        }),
        { numRuns: runs, includeErrorInReport: true },
      );
      expect(checked).toBeGreaterThanOrEqual(runs);
    });
  }
}
