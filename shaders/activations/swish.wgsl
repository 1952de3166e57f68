//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sigmoid.wgsl"
// x sigmoid(beta x). The product beta x is computed as a rounded value and its rounding error, because the exponential would
// amplify that error by a factor of |beta x|.
fn low_of(x: f32, v: f32, p: Params) -> f32 {
  let low = fma(x, p.beta_low, -nl_remainder(v, p.beta, x));
  return select(0.0, low, abs(v) < 110.0);
}

fn forward(x: f32, p: Params) -> f32 {
  let v = p.beta * x;
  let y = nl_sigmoid_times(x, v, low_of(x, v, p));
  // PyTorch multiplies an infinite x by a sigmoid that is 0.
  return select(y, nan(), is_inf(x) & !(v > 0.0));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = p.beta * x;
  let low = low_of(x, v, p);
  let slope = nl_gate_grad(v, low, nl_sigmoid_arg(v), low);
  // PyTorch differentiates x times a sigmoid, which gives 0 Inf or Inf - Inf in these cases.
  return select(grad_output * slope, nan(), is_nan(x) | is_inf(x) | (is_inf(grad_output) & !(v > 0.0)));
}
