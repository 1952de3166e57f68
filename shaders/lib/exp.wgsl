//#include "lib/bits.wgsl"
// nl_exp(x) = e^x: at most 1.1 ULP (measured: 0.99; 1.02 where fma is fused), +Inf above 88.72283, 0 far
// below; results under 2^-126 may be flushed to 0. NaN stays.
// x = n ln2 + r with |r| <= ln2/2 (Cody-Waite, ln2 in two parts), e^r = 1 + r + r^2 P(r)
// with a minimax P of degree 4 (own fit), then 2^n goes into the exponent bits.

// The integer n nearest x / ln2, for |x| < 2^21. Adding 1.5 * 2^23 leaves it in the low bits:
// no float to int conversion, and a NaN does no harm.
fn nl_exp_n(x: f32) -> i32 {
  return bitcast<i32>(fma(x, 0x1.715476p+0f, 12582912.0f)) - 0x4b400000;
}

// e^r - 1 for |r| <= 0.4, where hi is r to within 4e-4: exact enough for the term of degree 6.
fn nl_exp_rest(r: f32, hi: f32) -> f32 {
  var p = fma(hi, 0x1.6ff142p-10f, 0x1.123b38p-7f);
  p = fma(p, r, 0x1.55516ap-5f);
  p = fma(p, r, 0x1.555490p-3f);
  p = fma(p, r, 0x1.000002p-1f);
  return fma(r * r, p, r);
}

// t with e^x = 2^n (1 + t), for n = nl_exp_n(x), given as a float; t in [-0.293, 0.415].
fn nl_exp_t(x: f32, n: f32) -> f32 {
  // The high part of ln2 has 15 bits, so n times it is exact with or without a fused fma. That hi is used once more keeps
  // compilers (Mesa's) from adding both parts of ln2 to one float.
  let hi = fma(n, -0x1.62e4p-1f, x);
  return nl_exp_rest(fma(n, -0x1.7f7d1cp-20f, hi), hi);
}

// The same of e^(x + low): the argument in two parts, as the rounding of x alone would be off by |x| ULP of the result.
fn nl_exp_t_low(x: f32, low: f32, n: f32) -> f32 {
  let hi = fma(n, -0x1.62e4p-1f, x);
  return nl_exp_rest(hi + fma(n, -0x1.7f7d1cp-20f, low), hi);
}

// (1 + t) 2^n, as from nl_exp_t, for n in [-190, 63]; exact but for the rounding of 1 + t, unless it is subnormal. 2^n itself
// would underflow sooner than the product.
fn nl_exp_join(t: f32, n: i32) -> f32 {
  let s = pow2i(n + 64);
  return fma(t, s, s) * 0x1p-64f;
}

fn nl_exp(x: f32) -> f32 {
  return nl_exp_times(1.0, x, 0.0);
}

// f e^(x + low), f taken in before the tail underflows.
fn nl_exp_times(f: f32, x: f32, low: f32) -> f32 {
  // Beyond these ends the result is Inf or 0 anyway; a NaN passes both comparisons by.
  let a = select(x, -104.5f, x < -104.5f);
  let b = select(a, 89.0f, a > 89.0f);
  let n = nl_exp_n(b);
  let y = 1.0f + nl_exp_t_low(b, low, f32(n));
  // 2^n by integer addition to the exponent field, since 2^128 does not exist; results that may be subnormal get the
  // last 2^-64 as a factor. What is above it is below 1 then, so that its product with any f is finite.
  let tiny = n < -64;
  let m = select(n, n + 64, tiny);
  let z = (bitcast<f32>(bitcast<i32>(y) + to_exponent(m)) * f) * select(1.0f, 0x1p-64f, tiny);
  // 0x1.62e42ep+6 = 88.72283 is the last argument whose result is finite.
  return select(select(z, infinity() * f, x > 0x1.62e42ep+6f), x, is_nan(x));
}

// -|x|, but at least -104.5, where e^x is 0 already.
fn nl_exp_neg_arg(x: f32) -> f32 {
  let a = -abs(x);
  return select(a, -104.5f, a < -104.5f);
}
