//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// log(1 + e^(-t x)), which is finite wherever t x is. The product is computed as a rounded value and its rounding
// error, because the exponential would amplify that error.
fn low_of(v: f32, x: f32, t: f32) -> f32 {
  return select(-nl_remainder(v, t, -x), 0.0, abs(v) > 110.0);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let v = -expected * input;
  return nl_softplus_low(v, low_of(v, input, expected));
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> f32 {
  let v = -expected * input;
  let g = -expected * nl_sigmoid_beside(grad_output, v, low_of(v, input, expected));
  // PyTorch computes Inf / Inf = NaN where an input is infinite. Finite inputs whose product overflows do not give
  // NaN here.
  return select(g, nan(), (v > 0.0) & is_inf(v) & (is_inf(input) | is_inf(expected)));
}
