// x above the threshold, else `value`; NaN stays NaN. The gradient at the threshold is 0.
fn forward(x: f32, p: Params) -> f32 {
  return select(x, p.value, x <= p.threshold);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(grad_output, 0.0, x <= p.threshold);
}
