//#include "lib/preference.wgsl"
// The loss of a preference with the logit beta (chosen - rejected) - gamma. The difference is halved, as it may overflow.
fn logit_of(chosen: f32, rejected: f32, p: Params) -> f32 {
  return (2.0 * p.beta) * (0.5 * chosen - 0.5 * rejected) - p.gamma;
}

fn loss(chosen: f32, rejected: f32, p: Params) -> f32 {
  return nl_preference(logit_of(chosen, rejected, p), p.label_smoothing);
}

fn loss_grad(chosen: f32, rejected: f32, grad_output: f32, p: Params) -> vec2f {
  let g = nl_preference_grad(p.beta * grad_output, logit_of(chosen, rejected, p), p.label_smoothing);
  return vec2f(g, -g);
}
