/** Of golden cases of other ops `npm test` takes one in so many: an odd step meets both dtypes. The long lane has all. */
export const STEP = 3;

/**
 * Ops that make other pipelines for nearly each of their many golden cases, the longest shaders there are: one case in so
 * many.
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
  linear_cross_entropy_more: 5,
  scaled_dot_product_attention: 7,
  batch_norm: 7,
  group_norm: 5,
  grpo_loss: 7,
  binary_cross_entropy_with_logits: 7,
  multihead_attention: 5,
};
