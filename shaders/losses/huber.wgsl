// weight times d^2 / 2 for |d| <= delta, else weight delta (|d| - delta / 2), with d = input - expected.
fn loss(input: f32, expected: f32, weight: f32, p: Params) -> f32 {
  let d = abs(input - expected);
  return weight * select(0.5 * d * d, p.delta * (d - 0.5 * p.delta), d > p.delta);
}

fn loss_grad(input: f32, expected: f32, weight: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let slope = select(select(d, p.delta, d > p.delta), -p.delta, d < -p.delta);
  let g = slope * (weight * grad_output);
  return vec2f(g, -g);
}

fn weight_grad(input: f32, expected: f32, weight: f32, grad_output: f32, p: Params) -> f32 {
  return loss(input, expected, 1.0, p) * grad_output;
}
