//#include "lib/clipped-ratio.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
// requires: importance_sampling_level
// The clipped loss of a token of a policy, and beta (e^k - k - 1) with k = ref - log_probs. Where the ratio is one of a whole
// sequence, `old` is the mean of its logarithms.
fn ratio_of(log_probs: f32, old: f32) -> f32 {
  return select(log_probs - old, old, importance_sampling_level == 1u);
}

// e^k - k - 1; near 0 by its series, where the difference would cancel.
fn exp_rest(k: f32) -> f32 {
  var q = fma(k, 0x1.71de3ap-19f, 0x1.a01a02p-16f);
  q = fma(q, k, 0x1.a01a02p-13f);
  q = fma(q, k, 0x1.6c16c2p-10f);
  q = fma(q, k, 0x1.111112p-7f);
  q = fma(q, k, 0x1.555556p-5f);
  q = fma(q, k, 0x1.555556p-3f);
  q = fma(q, k, 0.5f);
  return select(nl_expm1(k) - k, (k * k) * q, abs(k) < 0.5);
}

// f e^k, in two steps where e^k may overflow and the product may not.
fn large_exp(f: f32, k: f32) -> f32 {
  return nl_exp_times(f * 2.35385267e17f, k - 40.0, 0.0);
}

fn clip_of(p: Params) -> Clip {
  return Clip(p.low, p.high, p.floor, p.ceiling);
}

fn term(log_probs: f32, old: f32, advantages: f32, ref_log_probs: f32, p: Params) -> f32 {
  let clipped = nl_clipped_ratio(ratio_of(log_probs, old), advantages, clip_of(p));
  let k = ref_log_probs - log_probs;
  let far = select(p.beta * exp_rest(k), large_exp(p.beta, k), k > 60.0);
  return clipped + select(far, 0.0, p.beta == 0.0);
}

fn term_grad(log_probs: f32, old: f32, advantages: f32, ref_log_probs: f32, grad_output: f32, p: Params) -> f32 {
  let clipped = nl_clipped_ratio_grad(grad_output, ratio_of(log_probs, old), advantages, clip_of(p));
  let k = ref_log_probs - log_probs;
  let g = p.beta * grad_output;
  let far = select(g * nl_expm1(k), large_exp(g, k), k > 60.0);
  return clipped - select(far, 0.0, p.beta == 0.0);
}
