//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/sigmoid.wgsl"
// nl_tanh(x): at most 1.5 ULP (measured over all float32: 1.16); tiny x and -0 stay, +-1 far out.
//   x + x^3 P(x^2) for |x| < 0.55 (minimax P of degree 4, own fit), else 1 - 2e/(1 + e) with
//   e = exp(-2|x|), whose subtraction does not cancel from there on.
// nl_sech2(x) = 1 - tanh(x)^2: at most 2.5 ULP (measured: 2.22), also where tanh rounds to 1.
//   4e / (1 + e)^2; results under 2^-126 may be flushed to 0.
// NaN stays.

// 2e / (1 + e), which is 1 - |tanh(x)|.
fn nl_tanh_rest(x: f32) -> f32 {
  // From |x| = 10 on the result is 1, so e stays far from the subnormal range.
  let c = max(-2.0f * abs(x), -20.0f);
  let n = nl_exp_n(c);
  let s = pow2i(n);
  let t = nl_exp_t(c, n);
  let q = nl_rcp1p(fma(t, s, s));
  return fma(t, q, q) * (2.0f * s);
}

fn nl_tanh(x: f32) -> f32 {
  let z = x * x;
  var p = fma(z, -0x1.9921a2p-8f, 0x1.58e518p-6f);
  p = fma(p, z, -0x1.b91e7ep-5f);
  p = fma(p, z, 0x1.110ceep-3f);
  p = fma(p, z, -0x1.55554ap-2f);
  let small = fma(x * z, p, x);
  let big = 1.0f - nl_tanh_rest(x);
  let y = select(select(big, -big, x < 0.0f), small, abs(x) < 0.55f);
  // Below 2^-13 tanh(x) rounds to x; the select also keeps -0, subnormals and NaN.
  return select(y, x, (abs(x) < 0x1p-13f) | is_nan(x));
}

fn nl_sech2(x: f32) -> f32 {
  return nl_exp_bell(x + x, 2);
}
