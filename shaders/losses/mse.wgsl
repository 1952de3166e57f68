//#include "lib/div.wgsl"
// weight (input - expected)^2.
fn loss(input: f32, expected: f32, weight: f32, p: Params) -> f32 {
  let d = input - expected;
  return weight * (d * d);
}

fn loss_grad(input: f32, expected: f32, weight: f32, grad_output: f32, p: Params) -> vec2f {
  // The factor 2 is applied to the upstream gradient, because twice the difference could overflow.
  let g = (input - expected) * (2.0 * (weight * grad_output));
  return vec2f(g, -g);
}

fn weight_grad(input: f32, expected: f32, weight: f32, grad_output: f32, p: Params) -> f32 {
  return loss(input, expected, 1.0, p) * grad_output;
}
