//#include "lib/threefry.wgsl"
// x above 0, else slope * x. The slope is drawn for each element between lower and lower + span; span is 0 in
// evaluation. The gradient at 0 is that of the negative side.
fn slope_at(index: u32, p: Params) -> f32 {
  return fma(uniform_at(vec2u(p.key0, p.key1), index), p.span, p.lower);
}

fn forward(x: f32, index: u32, p: Params) -> f32 {
  return select(slope_at(index, p) * x, x, x > 0.0);
}

fn backward(x: f32, grad_output: f32, index: u32, p: Params) -> f32 {
  return select(slope_at(index, p) * grad_output, grad_output, x > 0.0);
}
