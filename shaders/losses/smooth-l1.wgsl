//#include "lib/div.wgsl"
// d^2 / (2 beta) for |d| < beta, else |d| - beta / 2, with d = input - expected. For beta = 0 the gradient at 0 is 0.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let d = abs(input - expected);
  return select(d - 0.5 * p.beta, 0.5 * d * nl_divide(d, p.beta), d < p.beta);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let slope = select(nl_divide(d, p.beta), f32(d > 0.0) - f32(d < 0.0), abs(d) >= p.beta);
  let g = slope * grad_output;
  return vec2f(g, -g);
}
