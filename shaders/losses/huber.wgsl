// d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2), with d = input - expected.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let d = abs(input - expected);
  return select(0.5 * d * d, p.delta * (d - 0.5 * p.delta), d > p.delta);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let slope = select(select(d, p.delta, d > p.delta), -p.delta, d < -p.delta);
  let g = slope * grad_output;
  return vec2f(g, -g);
}
