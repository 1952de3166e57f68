//#include "lib/bits.wgsl"
//#include "lib/sigmoid.wgsl"
// x sigmoid(x). At -Inf the result is NaN, as PyTorch's -Inf 0.
fn forward(x: f32, p: Params) -> f32 {
  return nl_gated(x, x, 0.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  // x times a sigmoid's derivative: Inf 0.
  return select(grad_output * nl_gate_grad(x, 0.0, nl_sigmoid_arg(x), 0.0), nan(), is_inf(x) | is_nan(x));
}
