//#include "lib/bits.wgsl"
//#include "lib/tanh.wgsl"
// x - tanh x. Below 1 this is x^3 P(x^2), with a minimax polynomial P of degree 7 (own fit). From 1 on it is (|x| -
// 1) + 2e / (1 + e) with e = e^-2|x|; both terms are positive.
fn shrink_near_zero(x: f32) -> f32 {
  let z = x * x;
  var s = fma(z, -0x1.ae57acp-13f, 0x1.2ccd2ap-10f);
  s = fma(s, z, -0x1.cdeb4ep-9f);
  s = fma(s, z, 0x1.245e5ep-7f);
  s = fma(s, z, -0x1.670126p-6f);
  s = fma(s, z, 0x1.ba3016p-5f);
  s = fma(s, z, -0x1.111178p-3f);
  s = fma(s, z, 0x1.555556p-2f);
  // x s is multiplied first, because x^3 would underflow sooner.
  return (x * s) * z;
}

fn forward(x: f32, p: Params) -> f32 {
  let near = shrink_near_zero(x);
  let e = nl_exp(-2.0 * abs(x));
  let far = (abs(x) - 1.0) + 2.0 * e * nl_rcp1p(e);
  return select(select(select(far, -far, x < 0.0), near, abs(x) < 1.0), x, is_nan(x));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  // Below 1, tanh^2 is computed as x^2 - s (2x - s) with s = x - tanh x. The square of a rounded tanh would have
  // twice its relative error.
  let s = shrink_near_zero(x);
  let near = grad_output * fma(x, x, -s * (x + (x - s)));
  let t = nl_tanh(x);
  // Below 2^-30 tanh^2 is x^2, which may underflow even where its product with the upstream gradient g does not.
  let tiny = (grad_output * x) * x;
  let y = select(select((grad_output * t) * t, near, abs(x) < 1.0), tiny, abs(x) < 0x1p-30f);
  // PyTorch computes g - g (1 - tanh^2), which is Inf - Inf for an infinite g.
  return select(y, nan(), is_inf(grad_output) | is_nan(x));
}
