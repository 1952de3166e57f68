//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// nl_expm1(x) = e^x - 1: at most 1.5 ULP (measured over all float32: 1.24), +Inf above 88.72283. Tiny x, -0 and NaN are
// returned as they are. x = n ln2 + r as in nl_exp, but n = 0 up to |x| = 0.5, so that the sum
// 2^n expm1(r) + (2^n - 1) does not cancel. expm1(r) = r + r^2 P(r) with a minimax polynomial P of degree 5 (own fit).

fn nl_expm1(x: f32) -> f32 {
  // Up to x = -18 the result rounds to -1. The comparisons are false for a NaN.
  let a = select(x, -18.0f, x < -18.0f);
  let b = select(a, 89.0f, a > 89.0f);
  let n = select(nl_exp_n(b), 0, (b > -0.35f) & (b < 0.5f));
  let nf = f32(n);
  let hi = fma(nf, -0x1.62e4p-1f, b);
  let lo = nf * -0x1.7f7d1cp-20f;
  let r = hi + lo;
  var p = fma(r, 0x1.bbfedcp-13f, 0x1.6d4738p-10f);
  p = fma(p, r, 0x1.10fe5ep-7f);
  p = fma(p, r, 0x1.5554e2p-5f);
  p = fma(p, r, 0x1.555560p-3f);
  p = fma(p, r, 0.5f);
  let t = hi + fma(r * r, p, lo);
  // All terms are halved, because the float 2^128 does not exist.
  let s = pow2i(n - 1);
  let h = fma(t, s, s - 0.5f);
  let y = select(h + h, infinity(), x > 0x1.62e42ep+6f);
  // For |x| < 2^-24 the result is x, within 0.5 ULP. That keeps -0 and subnormals.
  return select(y, x, (abs(x) < 0x1p-24f) | is_nan(x));
}
