// max(1 - t x, 0)^2.
fn short_of(input: f32, expected: f32) -> f32 {
  let m = fma(-expected, input, 1.0);
  return select(m, 0.0, m < 0.0);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let m = short_of(input, expected);
  return m * m;
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> f32 {
  return -expected * short_of(input, expected) * (2.0 * grad_output);
}
