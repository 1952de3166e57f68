/**
 * Ops that make other pipelines for nearly each of their many golden cases, the longest shaders there are: `npm test` takes one
 * case in so many. Odd steps meet both dtypes.
 */
export const MANY_PIPELINES: Readonly<Record<string, number>> = {
  cross_entropy: 13,
  cross_entropy_hard: 5,
  cross_entropy_more: 13,
  focal_loss: 13,
  poly_loss: 13,
  generalized_cross_entropy: 13,
  arc_face_loss: 11,
  cos_face_loss: 13,
  nll_loss: 7,
  nll_loss_hard: 5,
  adaptive_log_softmax_with_loss: 7,
  triplet_margin_loss: 7,
  layer_norm: 3,
  rms_norm: 3,
  linear_cross_entropy: 3,
  linear_cross_entropy_more: 5,
  softmax_masked: 3,
  log_softmax_masked: 3,
  scaled_dot_product_attention: 3,
  multihead_attention: 5,
};
