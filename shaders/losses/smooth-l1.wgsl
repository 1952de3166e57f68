//#include "lib/div.wgsl"
// d^2 / (2 beta) for |d| < beta, else |d| - beta / 2, with d = input - expected. For beta = 0 the gradient is 0 only
// where both numbers are equal. It is found by comparing the numbers, because a device may flush a small difference
// to 0.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let d = abs(input - expected);
  return select(d - 0.5 * p.beta, 0.5 * d * nl_divide(d, p.beta), d < p.beta);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let side = f32(input > expected) - f32(input < expected);
  let slope = select(nl_divide(d, p.beta), side, abs(d) >= p.beta);
  let g = slope * grad_output;
  return vec2f(g, -g);
}
