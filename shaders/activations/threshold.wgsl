// x above the threshold, else a value; a NaN stays one. The gradient at the threshold is 0.
fn forward(x: f32, p: Params) -> f32 {
  return select(x, p.value, x <= p.threshold);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(grad_output, 0.0, x <= p.threshold);
}
