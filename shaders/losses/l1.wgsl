// |input - expected|. The gradient at 0 is 0.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  return abs(input - expected);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let g = (f32(d > 0.0) - f32(d < 0.0)) * grad_output;
  return vec2f(g, -g);
}
