// max(|d| - epsilon, 0) with d = input - expected. `rest` is what float32 loses of epsilon.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let over = (abs(input - expected) - p.epsilon) - p.rest;
  return select(over, 0.0, over < 0.0);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let side = f32(input > expected) - f32(input < expected);
  // A device may flush a small difference to 0, so with epsilon 0 the inputs are compared.
  let outside = ((abs(d) - p.epsilon) - p.rest > 0.0) | (p.epsilon == 0.0);
  let g = select(0.0, side * grad_output, outside);
  return vec2f(g, -g);
}
