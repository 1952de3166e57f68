// x clamped to [min_val, max_val], but NaN stays NaN. The gradient at both ends is 0.
fn forward(x: f32, p: Params) -> f32 {
  return select(select(x, p.min_val, x < p.min_val), p.max_val, x > p.max_val);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(grad_output, 0.0, (x <= p.min_val) | (x >= p.max_val));
}
