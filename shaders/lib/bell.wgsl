//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// The slope of the sigmoid, which is that of tanh on another scale: at most 2.5 ULP (measured: 2.22). Results under 2^-126 may
// be flushed to 0.

// 2^k e / (1 + e)^2 with e = exp(-|x|), for k in [0, 2].
fn nl_exp_bell(x: f32, k: i32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  return nl_bell_of(x, nl_exp_t(a, f32(n)), n, k);
}

// The same of x + low.
fn nl_exp_bell_low(x: f32, low: f32, k: i32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  return nl_bell_of(x, nl_exp_t_low(a, select(-low, low, x < 0.0), f32(n)), n, k);
}

// The same from e = 2^n (1 + t).
fn nl_bell_of(x: f32, t: f32, n: i32, k: i32) -> f32 {
  let s = pow2i(n + 64);
  let e = fma(t, s, s) * 0x1p-64f;
  let q = nl_rcp1p(e);
  let w = fma(t, q, q);
  let tail = (fma(-w, e * q, w) * s) * pow2i(k - 64);
  // Near x = 0 it is (1 - ((1 - e) / (1 + e))^2) / 4: the square is small there, and so are its errors.
  let u = (1.0f - e) * q;
  let top = pow2i(k - 2) * fma(-u, u, 1.0f);
  return select(select(tail, top, e > 0.3f), x, is_nan(x));
}
