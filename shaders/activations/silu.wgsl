//#include "lib/bits.wgsl"
//#include "lib/sigmoid.wgsl"
// x sigmoid(x). At -Inf the result is NaN, because PyTorch computes -Inf 0 there.
fn forward(x: f32, p: Params) -> f32 {
  return nl_gated(x, x, 0.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  // At infinite x the result is NaN, because PyTorch computes x times the derivative of the sigmoid, which is Inf 0.
  return select(grad_output * nl_gate_grad(x, 0.0, nl_sigmoid_arg(x), 0.0), nan(), is_inf(x) | is_nan(x));
}
