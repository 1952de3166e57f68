//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sigmoid.wgsl"
// x sigmoid(1.702 x). The product 1.702 x is computed as a rounded value and its rounding error, because the
// exponential would amplify that error by a factor of 1.702 |x|.
const factor = 0x1.b3b646p+0f;
// The part of 1.702 that `factor` lost by rounding.
const factor_low = -0x1.78d4fep-26f;

fn low_of(x: f32, v: f32) -> f32 {
  let low = fma(x, factor_low, -nl_remainder(v, factor, x));
  return select(low, 0.0, abs(v) > 110.0);
}

fn forward(x: f32, p: Params) -> f32 {
  let v = factor * x;
  return nl_gated(x, v, low_of(x, v));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = factor * x;
  let low = low_of(x, v);
  let slope = nl_gate_grad(v, low, nl_sigmoid_arg(v), low);
  // PyTorch differentiates x times a sigmoid, which gives 0 Inf or Inf - Inf in these cases.
  return select(grad_output * slope, nan(), is_nan(x) | is_inf(x) | (is_inf(grad_output) & (x <= 0.0)));
}
