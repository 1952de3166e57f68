//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
// Non-negative numbers with the precision of float32 and an exponent without limits: (m, e) is m 2^e, where m is in [1, 2) or
// 0, and e is an integer. Products of thousands of probabilities underflow in float32, and their logarithms lose digits;
// these numbers do neither. The error of each function is at most 2 ULP of m. NaN is kept in m.
const wide_lowest = -0x1.8p+127; // the exponent of 0

// Makes such a number of v 2^e, where v is in [2^-126, 2^127], 0 or NaN.
fn wide_of(v: f32, e: f32) -> vec2f {
  let b = bitcast<u32>(v);
  let k = f32(i32((b >> 23u) & 0xffu) - 127);
  let w = vec2f(bitcast<f32>((b & 0x007fffffu) | 0x3f800000u), e + k);
  return select(select(w, vec2f(0.0, wide_lowest), b == 0u), vec2f(nan(), 0.0), b >= 0x7f800000u);
}

// e^x as 2^n times a number in [0.7, 1.5]. It is 0 for x = -Inf, and NaN for x = +Inf, where Inf - Inf would follow.
fn wide_exp(x: f32) -> vec2f {
  // For larger |x| the distance between neighbouring float32 is more than ln 2, so that n has no meaning.
  let far = !(abs(x) < 0x1p+20);
  let a = select(x, 0.0, far);
  let n = nl_exp_n(a);
  let near = vec2f(1.0 + nl_exp_t(a, f32(n)), f32(n));
  let w = select(near, vec2f(1.0, round(x * 0x1.715476p+0)), far);
  let b = bitcast<u32>(x);
  return select(select(w, vec2f(0.0, wide_lowest), b == 0xff800000u), vec2f(nan(), 0.0), b == 0x7f800000u || is_nan(x));
}

// 2^d for integers d <= 0.
fn wide_shift(d: f32) -> f32 {
  return select(0.0, pow2i(i32(max(d, -126.0))), d > -127.0);
}

// (a + b + c) f, where f is a result of wide_exp.
fn wide_sum_times(a: vec2f, b: vec2f, c: vec2f, f: vec2f) -> vec2f {
  let e = max(max(a.y, b.y), c.y);
  let sum = fma(a.x, wide_shift(a.y - e), fma(b.x, wide_shift(b.y - e), c.x * wide_shift(c.y - e)));
  return wide_of(sum * f.x, e + f.y);
}

// ln w. It is -Inf for 0.
fn wide_ln(w: vec2f) -> f32 {
  let high = w.x > 1.3333333;
  let y = nl_log_sum(select(w.x, 0.5 * w.x, high) - 1.0, w.y + select(0.0, 1.0, high));
  return select(select(y, -infinity(), w.x == 0.0), w.x, is_nan(w.x));
}
