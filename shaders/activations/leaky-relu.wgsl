// x above 0, else negative_slope * x. The gradient at 0 is that of the negative side.
fn forward(x: f32, p: Params) -> f32 {
  return select(p.negative_slope * x, x, x > 0.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(p.negative_slope * grad_output, grad_output, x > 0.0);
}
