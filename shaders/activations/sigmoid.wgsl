//#include "lib/sigmoid.wgsl"
// 1 / (1 + e^-x); both tails keep relative accuracy, in the derivative too.
fn forward(x: f32, p: Params) -> f32 {
  return nl_sigmoid(x);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return grad_output * nl_sigmoid_grad(x);
}
