// (input - expected)^2.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let d = input - expected;
  return d * d;
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  // Twice the upstream gradient, not the difference, which could leave float32.
  let g = (input - expected) * (2.0 * grad_output);
  return vec2f(g, -g);
}
