// The margin loss of the distances of triplets and its gradients, as functions of numbers and as pointwise ops.
import wgsl from '../../../shaders/kernels/pair-rows/triplet-hinge.wgsl?raw';
import { bits } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';
import type { PointwiseOp } from '../pointwise/plan.ts';

/** The WGSL of the hinge. It needs `Params` with a `margin`. */
export const tripletHingeSource = /* @__PURE__ */ source(
  'kernels/pair-rows/triplet-hinge.wgsl',
  wgsl,
  [bits],
);

/** One triplet in float64. `other` is the distance from positive to negative, for losses that use it. */
export function tripletHinge(
  near: number,
  far: number,
  other: number | undefined,
  margin: number,
  upstream: number,
): { loss: number; grads: readonly number[] } {
  const slack = margin + near - (other === undefined ? far : Math.min(far, other));
  const g = slack >= 0 ? upstream : 0;
  const share = (a: number, b: number): number => (a > b ? 0 : a === b ? g / 2 : g);
  return {
    loss: slack < 0 ? 0 : slack,
    grads: other === undefined ? [g, -g] : [g, -share(far, other), -share(other, far)],
  };
}

interface HingeOps {
  readonly forward: PointwiseOp;
  readonly backward: PointwiseOp;
}

function hingeOps(swap: boolean): HingeOps {
  const common = {
    name: 'tripletMarginWithDistanceLoss',
    source: tripletHingeSource,
    params: { names: ['margin'] },
  };
  const inputs = ['near', 'far', ...(swap ? ['other'] : [])];
  const reach = swap ? 'nearer(far, other)' : 'far';
  const grads = swap ? 'g, -share(g, far, other), -share(g, other, far)' : 'g, -g';
  return {
    forward: {
      ...common,
      inputs,
      results: 1,
      body: `  return Results(hinge(near, ${reach}, p));`,
      reference: ([near = NaN, far = NaN, other], r, { margin = 1 }) => {
        r[0] = tripletHinge(near, far, swap ? other : undefined, margin, 1).loss;
      },
    },
    backward: {
      ...common,
      inputs: [...inputs, 'grad_output'],
      results: inputs.length,
      body: `  let g = hinge_grad(near, ${reach}, grad_output * u.scale, p);\n  return Results(${grads});`,
      reference: ([near = NaN, far = NaN, ...rest], r, { margin = 1 }, _index, scale) => {
        const [other, gradOutput = NaN] = swap ? rest : [undefined, ...rest];
        r.set(tripletHinge(near, far, other, margin, gradOutput * scale).grads);
      },
    },
  };
}

/** The op for two distances: the loss of each element, and its gradients. */
export const hingeOfTwo = /* @__PURE__ */ hingeOps(false);
/** The same op for three distances. */
export const hingeOfThree = /* @__PURE__ */ hingeOps(true);
