// The magnitude.
fn forward(x: f32, p: Params) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu);
}

// 0 at 0, and of NaN.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let slope = select(select(0.0, -1.0, x < 0.0), 1.0, x > 0.0);
  return grad_output * slope;
}
