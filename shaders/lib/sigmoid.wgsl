//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// With e = exp(-|x|) = 2^n (1 + t), which never overflows and keeps both tails:
//   nl_sigmoid(x) = 1 / (1 + e) for x >= 0, e / (1 + e) for x < 0: at most 2 ULP (measured
//     over all float32: 1.75)
//   nl_sigmoid_grad(x) = sigmoid(x) (1 - sigmoid(x)) = e / (1 + e)^2: at most 2.5 ULP
//     (measured: 2.22)
// Results under 2^-126 may be flushed to 0. NaN stays.
// The numerator e is taken as 2^n (1 + t) unrounded: q (1 + t) = q + t q in one fma.

fn nl_sigmoid(x: f32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, n);
  // 2^n in two factors, as n goes down to -151.
  let s1 = pow2i(n >> 1u);
  let s2 = pow2i(n - (n >> 1u));
  let q = nl_rcp1p(((1.0f + t) * s1) * s2);
  let tail = (fma(t, q, q) * s1) * s2;
  return select(select(q, tail, x < 0.0f), x, is_nan(x));
}

// 2^k e / (1 + e)^2 with e = exp(-|x|), k in [0, 2].
fn nl_exp_bell(x: f32, k: i32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, n);
  let h = n >> 1u;
  let s1 = pow2i(h);
  let e = ((1.0f + t) * s1) * pow2i(n - h);
  let q = nl_rcp1p(e);
  let w = fma(t, q, q);
  let tail = (fma(-w, e * q, w) * s1) * pow2i(n - h + k);
  // Round the top, (1 - ((1 - e) / (1 + e))^2) / 4: the small square carries the errors.
  let u = (1.0f - e) * q;
  let top = pow2i(k - 2) * fma(-u, u, 1.0f);
  return select(select(tail, top, e > 0.3f), x, is_nan(x));
}

fn nl_sigmoid_grad(x: f32) -> f32 {
  return nl_exp_bell(x, 0);
}
