//#include "lib/bits.wgsl"
// nl_exp(x) = e^x: at most 1.1 ULP (measured: 0.99; 1.02 where fma is fused). It is +Inf above 88.72283; results under 2^-126
// may be flushed to 0; NaN stays NaN. The argument is reduced by Cody and Waite's method: x = n ln2 + r with |r| <= ln2/2,
// where ln2 is a sum of two floats. e^r = 1 + r + r^2 P(r) with a minimax polynomial P of degree 4 (own fit), and
// n is added to the exponent bits.

// The integer n nearest x / ln2, for |x| < 2^21. After 1.5 * 2^23 is added, the low bits of the float hold n. This way a NaN
// is never converted to an integer.
fn nl_exp_n(x: f32) -> i32 {
  return bitcast<i32>(fma(x, 0x1.715476p+0f, 12582912.0f)) - 0x4b400000;
}

// e^r - 1 for |r| <= 0.4. hi differs from r by at most 4e-4, which does not matter in the term of degree 6.
fn nl_exp_rest(r: f32, hi: f32) -> f32 {
  var p = fma(hi, 0x1.6ff142p-10f, 0x1.123b38p-7f);
  p = fma(p, r, 0x1.55516ap-5f);
  p = fma(p, r, 0x1.555490p-3f);
  p = fma(p, r, 0x1.000002p-1f);
  return fma(r * r, p, r);
}

// 1 - e^-r, which is -nl_exp_rest(-r, -hi) bit by bit. Where the GPU is emulated, a negation is an instruction of its own.
fn nl_exp_drop(r: f32, hi: f32) -> f32 {
  var p = fma(hi, -0x1.6ff142p-10f, 0x1.123b38p-7f);
  p = fma(p, r, -0x1.55516ap-5f);
  p = fma(p, r, 0x1.555490p-3f);
  p = fma(p, r, -0x1.000002p-1f);
  return fma(r * r, p, r);
}

// t of e^x = 2^n (1 + t), where n = nl_exp_n(x), given as a float. t is in [-0.293, 0.415].
fn nl_exp_t(x: f32, n: f32) -> f32 {
  // The high part of ln2 has 15 bits, so its product with n is exact whether fma is fused or not. Mesa's compiler would add
  // both parts of ln2 to one float, if hi had no other use.
  let hi = fma(n, -0x1.62e4p-1f, x);
  return nl_exp_rest(fma(n, -0x1.7f7d1cp-20f, hi), hi);
}

// The same for e^(x + low). An argument that was rounded to x alone would make an error of up to |x| ULP of the result.
fn nl_exp_t_low(x: f32, low: f32, n: f32) -> f32 {
  let hi = fma(n, -0x1.62e4p-1f, x);
  return nl_exp_rest(hi + fma(n, -0x1.7f7d1cp-20f, low), hi);
}

// (1 + t) 2^n of nl_exp_t's t, for n in [-190, 63]. Unless it is subnormal, only 1 + t is rounded. 2^n alone would underflow
// sooner than the product.
fn nl_exp_join(t: f32, n: i32) -> f32 {
  let s = pow2i(n + 64);
  return fma(t, s, s) * 0x1p-64f;
}

fn nl_exp(x: f32) -> f32 {
  return nl_exp_times(1.0, x, 0.0);
}

// f e^(x + low). The factor f is applied before small exponentials underflow.
fn nl_exp_times(f: f32, x: f32, low: f32) -> f32 {
  // Beyond these limits the result is Inf or 0 anyway. Both comparisons are false for a NaN.
  let a = select(x, -104.5f, x < -104.5f);
  let b = select(a, 89.0f, a > 89.0f);
  let n = nl_exp_n(b);
  let y = 1.0f + nl_exp_t_low(b, low, f32(n));
  // n is added to the exponent bits, because the float 2^128 does not exist. Results that may be subnormal are computed 2^64
  // times as large and multiplied by 2^-64 at the end. Before that they are below 1, so their product with f is finite.
  let tiny = n < -64;
  let m = select(n, n + 64, tiny);
  let z = (bitcast<f32>(bitcast<i32>(y) + to_exponent(m)) * f) * select(1.0f, 0x1p-64f, tiny);
  // 0x1.62e42ep+6 = 88.72283 is the last argument whose result is finite.
  return select(select(z, infinity() * f, x > 0x1.62e42ep+6f), x, is_nan(x));
}

// -|x|, but at least -104.5, for which e^x is 0.
fn nl_exp_neg_arg(x: f32) -> f32 {
  let a = -abs(x);
  return select(a, -104.5f, a < -104.5f);
}
