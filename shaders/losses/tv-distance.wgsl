// |input - expected| / 2. The inputs are halved first, because their difference may overflow.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  return abs(0.5 * input - 0.5 * expected);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  // The inputs are compared, because a device may flush a small difference to 0.
  let g = (f32(input > expected) - f32(input < expected)) * (0.5 * grad_output);
  return vec2f(g, -g);
}
