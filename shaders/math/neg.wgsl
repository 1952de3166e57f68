// x with the other sign; by the bits, so that 0 - x is not what a compiler makes of it.
fn forward(x: f32, p: Params) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return forward(grad_output, p);
}
