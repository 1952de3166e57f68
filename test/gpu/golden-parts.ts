/** Of golden cases of other ops `npm test` takes one in so many: an odd step meets both dtypes. The long lane has all. */
export const STEP = 11;

/**
 * Ops that make other pipelines for nearly each of their many golden cases, the longest shaders there are: one case in so
 * many.
 */
export const MANY_PIPELINES: Readonly<Record<string, number>> = {
  cross_entropy: 31,
  cross_entropy_hard: 11,
  cross_entropy_more: 41,
  focal_loss: 31,
  poly_loss: 31,
  generalized_cross_entropy: 31,
  arc_face_loss: 25,
  cos_face_loss: 31,
  nll_loss: 21,
  nll_loss_hard: 11,
  adaptive_log_softmax_with_loss: 15,
  triplet_margin_loss: 21,
  linear_cross_entropy_more: 21,
  scaled_dot_product_attention: 31,
  batch_norm: 21,
  group_norm: 15,
  grpo_loss: 21,
  binary_cross_entropy_with_logits: 21,
  multihead_attention: 15,
  layer_norm: 21,
  rms_norm: 21,
  instance_norm: 15,
  distillation_loss: 15,
  barron_loss: 15,
  linear_cross_entropy: 21,
};
