// max(-q d, (1 - q) d) with d = input - expected. d is halved before it is multiplied, because it may overflow where the
// product does not. `rest` is 1 - q.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let half = 0.5 * input - 0.5 * expected;
  return select(-2.0 * p.quantile, 2.0 * p.rest, half > 0.0) * half;
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  // The inputs are compared, because a device may flush a small difference to 0. At d = 0 both sides have half a share.
  let above = select(p.rest, 0.0, input < expected);
  let below = select(p.quantile, 0.0, input > expected);
  let g = (above - below) * select(1.0, 0.5, input == expected) * grad_output;
  return vec2f(g, -g);
}
