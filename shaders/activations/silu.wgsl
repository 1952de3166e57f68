//#include "lib/bits.wgsl"
//#include "lib/sigmoid.wgsl"
// x sigmoid(x). At -Inf the result is NaN, as PyTorch's -Inf 0.
fn forward(x: f32, p: Params) -> f32 {
  return select(nl_sigmoid_times(x, x, 0.0), nan(), bitcast<u32>(x) == 0xff800000u);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  // x times a sigmoid's derivative: Inf 0.
  return select(grad_output * nl_gate_grad(x, 0.0, clamp_gate(x), 0.0), nan(), is_inf(x));
}
