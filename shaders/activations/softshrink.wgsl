//#include "lib/bits.wgsl"
// x moved towards 0 by the offset (or away from it) outside of [-lambd, lambd], and 0 within; NaN stays NaN. The gradient at
// both ends is 0.
fn forward(x: f32, p: Params) -> f32 {
  let inner = select(0.0, x, is_nan(x));
  return select(select(inner, x + p.offset, x < -p.lambd), x - p.offset, x > p.lambd);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(grad_output, 0.0, (x >= -p.lambd) & (x <= p.lambd));
}
