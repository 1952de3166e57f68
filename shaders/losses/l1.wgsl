// |input - expected|. The gradient at 0 is 0, and only there: a device may take a small difference for 0, so the numbers
// themselves are compared.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  return abs(input - expected);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let g = (f32(input > expected) - f32(input < expected)) * grad_output;
  return vec2f(g, -g);
}
