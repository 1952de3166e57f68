/**
 * Ops that make other pipelines for nearly each of their many golden cases, the longest shaders there are: `npm test` takes one
 * case in so many. Odd steps meet both dtypes.
 */
export const MANY_PIPELINES: Readonly<Record<string, number>> = {
  cross_entropy: 7,
  focal_loss: 7,
  nll_loss: 7,
  layer_norm: 3,
  rms_norm: 3,
  linear_cross_entropy: 3,
  triplet_margin_loss: 3,
};
