//#include "lib/tanh.wgsl"
// The hyperbolic tangent; its derivative 1 - tanh^2 keeps relative accuracy where tanh saturates.
fn forward(x: f32, p: Params) -> f32 {
  return nl_tanh(x);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return grad_output * nl_sech2(x);
}
