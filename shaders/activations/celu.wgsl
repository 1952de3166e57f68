//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/expm1.wgsl"
// x above 0, else alpha (e^(x / alpha) - 1). The gradient at 0 is 1. x / alpha is computed as a rounded quotient q
// and a remainder, because the exponential would amplify the rounding error of q by a factor of |q|.
fn rest_of(x: f32, q: f32, p: Params) -> f32 {
  return select(nl_remainder(x, p.alpha, q) / p.alpha, 0.0, (abs(q) > 110.0) | (abs(q) < 0x1p-24f));
}

fn forward(x: f32, p: Params) -> f32 {
  let q = x / p.alpha;
  let m = nl_expm1(q);
  let y = select(fma(rest_of(x, q, p), m + 1.0, m), m, abs(q) > 88.0);
  return select(p.alpha * y, x, (x > 0.0) | (abs(q) < 0x1p-24f));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let q = x / p.alpha;
  return select(grad_output * nl_exp_times(1.0, q, rest_of(x, q, p)), grad_output, x > 0.0);
}
