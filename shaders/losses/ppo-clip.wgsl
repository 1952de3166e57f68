//#include "lib/clipped-ratio.wgsl"
// -min(r A, clip(r, 1 - eps_low, 1 + eps_high) A) with r = e^(log_probs - old_log_probs).
fn clip_of(p: Params) -> Clip {
  return Clip(p.low, p.high, p.floor, p.ceiling);
}

fn loss(log_probs: f32, old_log_probs: f32, advantages: f32, p: Params) -> f32 {
  return nl_clipped_ratio(log_probs - old_log_probs, advantages, clip_of(p));
}

fn loss_grad(log_probs: f32, old_log_probs: f32, advantages: f32, grad_output: f32, p: Params) -> f32 {
  return nl_clipped_ratio_grad(grad_output, log_probs - old_log_probs, advantages, clip_of(p));
}
