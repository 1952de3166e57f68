//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// ln(sigmoid(x)) = -ln(1 + e^-x), with a small relative error for large x of both signs.
fn forward(x: f32, p: Params) -> f32 {
  return -nl_softplus(-x);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return nl_sigmoid_times(grad_output, -x, 0.0);
}
