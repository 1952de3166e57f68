//#include "lib/bell.wgsl"
//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// nl_tanh(x): at most 1.25 ULP (measured: 1.11; 1.15 where fma is fused). Tiny x and -0 are returned as they are.
//   For |x| < 0.55 it is x + x^3 P(x^2) with a minimax polynomial P of degree 4 (own fit). For larger |x| it is
//   1 - 2e/(1 + e) with e = exp(-2|x|), where the difference does not cancel.
// nl_sech2(x) = 1 - tanh(x)^2: at most 2.5 ULP (measured: 2.22), also where tanh rounds to 1.
//   It is 4e / (1 + e)^2. Results under 2^-126 may be flushed to 0.
// NaN stays NaN.

// 1 - 2e / (1 + e), which is |tanh(x)|, for a = |x|. No value is negated, as that is an instruction of its own where the GPU is
// emulated: -2a is a product, and the reciprocal is that of -1.
fn nl_tanh_far(a: f32) -> f32 {
  // From 10 on the result is 1. The limit keeps e far from the subnormal numbers. A minimum would test for NaN where the GPU is
  // emulated.
  let x = select(-2.0f * a, -20.0f, a > 10.0f);
  let n = nl_exp_n(x);
  let t = nl_exp_t(x, f32(n));
  let s = pow2i(n + 1);
  let q = nl_neg_rcp1p(fma(t, s, s) * 0.5f);
  return fma(fma(t, q, q), s, 1.0f);
}

fn nl_tanh(x: f32) -> f32 {
  let a = abs(x);
  let z = x * x;
  var p = fma(z, -0x1.9921a2p-8f, 0x1.58e518p-6f);
  p = fma(p, z, -0x1.b91e7ep-5f);
  p = fma(p, z, 0x1.110ceep-3f);
  p = fma(p, z, -0x1.55554ap-2f);
  let small = fma(a * z, p, a);
  // For a NaN the comparison is false, and the polynomial keeps it.
  let y = select(small, nl_tanh_far(a), a >= 0.55f);
  // The result has the sign of x, also for -0.
  return bitcast<f32>(bitcast<u32>(y) | (bitcast<u32>(x) & 0x80000000u));
}

// The same of x + low.
fn nl_sech2_low(x: f32, low: f32) -> f32 {
  return nl_exp_bell_low(x + x, low + low, 2);
}

fn nl_sech2(x: f32) -> f32 {
  return nl_exp_bell(x + x, 2);
}
