// 0 within [-lambd, lambd], else x; NaN stays NaN. The gradient at both ends is 0.
fn shrunk(x: f32, p: Params) -> bool {
  return (x >= -p.lambd) & (x <= p.lambd);
}

fn forward(x: f32, p: Params) -> f32 {
  return select(x, 0.0, shrunk(x, p));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(grad_output, 0.0, shrunk(x, p));
}
