// |input - expected|. The gradient is 0 only where both numbers are equal. It is found by comparing the numbers,
// because a device may flush a small difference to 0.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  return abs(input - expected);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let g = (f32(input > expected) - f32(input < expected)) * grad_output;
  return vec2f(g, -g);
}
