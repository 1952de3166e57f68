//#include "lib/div.wgsl"
// weight |input - expected|. The gradient is 0 only where both numbers are equal. It is found by comparing the numbers,
// because a device may flush a small difference to 0.
fn loss(input: f32, expected: f32, weight: f32, p: Params) -> f32 {
  return weight * abs(input - expected);
}

fn loss_grad(input: f32, expected: f32, weight: f32, grad_output: f32, p: Params) -> vec2f {
  let g = (f32(input > expected) - f32(input < expected)) * (weight * grad_output);
  return vec2f(g, -g);
}

fn weight_grad(input: f32, expected: f32, weight: f32, grad_output: f32, p: Params) -> f32 {
  return loss(input, expected, 1.0, p) * grad_output;
}
