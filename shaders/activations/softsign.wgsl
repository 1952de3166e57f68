//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
// x / (1 + |x|). The result is NaN for infinite x, and the gradient also for an infinite upstream gradient, because
// PyTorch computes Inf / Inf or Inf - Inf there.
fn forward(x: f32, p: Params) -> f32 {
  // From 2^25 on the quotient rounds to 1. WGSL guarantees a division only for divisors up to 2^126.
  let a = min(abs(x), 0x1p25f);
  let y = nl_quotient(a, 1.0 + a);
  let signed = select(y, -y, x < 0.0);
  return select(select(signed, x, abs(x) < 0x1p-25f), nan(), is_nan(x) | is_inf(x));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  // Above 2^126 x is scaled down first, because neither 1 / (1 + |x|) nor its square could be computed.
  let far = abs(x) > 0x1p126f;
  let d = nl_one_plus(select(abs(x), abs(x) * 0x1p-64f, far));
  let q = nl_quotient(1.0, d.sum);
  let scaled = q * select(1.0, 0x1p-64f, far);
  let y = (grad_output * scaled) * scaled;
  // The remainder of 1 + |x| counts twice, because its reciprocal is squared.
  return select(y * fma(-2.0 * d.rest, q, 1.0), nan(), is_nan(x) | is_inf(x) | is_inf(grad_output));
}
