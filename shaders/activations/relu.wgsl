// max(x, 0), but NaN stays NaN. The gradient at 0 is 0.
fn forward(x: f32, p: Params) -> f32 {
  return select(x, 0.0, x < 0.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(grad_output, 0.0, x <= 0.0);
}
