//#include "lib/bits.wgsl"
//#include "lib/tanh.wgsl"
// x - tanh x: x^3 P(x^2) below 1 (minimax P of degree 7, own fit), from there on (|x| - 1) + 2e / (1 + e), e = e^-2|x|,
// whose terms are both positive.
fn shrink_near_zero(x: f32) -> f32 {
  let z = x * x;
  var s = fma(z, -0x1.ae57acp-13f, 0x1.2ccd2ap-10f);
  s = fma(s, z, -0x1.cdeb4ep-9f);
  s = fma(s, z, 0x1.245e5ep-7f);
  s = fma(s, z, -0x1.670126p-6f);
  s = fma(s, z, 0x1.ba3016p-5f);
  s = fma(s, z, -0x1.111178p-3f);
  s = fma(s, z, 0x1.555556p-2f);
  // x s first: x^3 underflows sooner.
  return (x * s) * z;
}

fn forward(x: f32, p: Params) -> f32 {
  let near = shrink_near_zero(x);
  let e = nl_exp(-2.0 * abs(x));
  let far = (abs(x) - 1.0) + 2.0 * e * nl_rcp1p(e);
  return select(select(select(far, -far, x < 0.0), near, abs(x) < 1.0), x, is_nan(x));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  // tanh^2 = x^2 - s (2x - s) below 1, where the rounding of tanh would count twice.
  let s = shrink_near_zero(x);
  let near = grad_output * fma(x, x, -s * (x + (x - s)));
  let t = nl_tanh(x);
  // Below 2^-30 it is x^2, which may underflow where the product with the gradient does not.
  let tiny = (grad_output * x) * x;
  let y = select(select((grad_output * t) * t, near, abs(x) < 1.0), tiny, abs(x) < 0x1p-30f);
  // PyTorch subtracts g (1 - tanh^2) from g: Inf - Inf.
  return select(y, nan(), is_inf(grad_output) | is_nan(x));
}
