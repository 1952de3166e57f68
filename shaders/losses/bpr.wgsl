//#include "lib/preference.wgsl"
// -ln sigmoid(positive - negative).
fn loss(positive: f32, negative: f32, p: Params) -> f32 {
  return nl_preference(positive - negative, 0.0);
}

fn loss_grad(positive: f32, negative: f32, grad_output: f32, p: Params) -> vec2f {
  let g = nl_preference_grad(grad_output, positive - negative, 0.0);
  return vec2f(g, -g);
}
