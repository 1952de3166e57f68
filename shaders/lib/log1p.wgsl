//#include "lib/bits.wgsl"
//#include "lib/log.wgsl"
// nl_log1p(x) = ln(1 + x): at most 2 ULP (measured over all float32: 1.59). It is -Inf for -1, and NaN for x < -1; tiny x, -0,
// +Inf and NaN are returned as they are. As in nl_log, 1 + x = 2^k (1 + f). k is taken from the rounded sum 1 + x, but
// f = 2^-k x + (2^-k - 1) is computed from x, so that no bit of x is lost.

fn nl_log1p(x: f32) -> f32 {
  // 0x3f2aaaab are the bits of 2/3, as in nl_log.
  let e = (bitcast<i32>(1.0f + x) - 0x3f2aaaab) & -0x00800000;
  // 4 * 2^-k is a normal number even for k = 128. With an explicit fma no compiler may reorder the sums. The products are by
  // powers of two, so they are exact whether fma is fused or not.
  let s = bitcast<f32>(0x40800000 - e);
  let f = fma(0.25f * x, s, fma(s, 0.25f, -1.0f));
  let y = nl_log_sum(f, f32(e) * 0x1p-23f);
  // For |x| < 2^-24 the result is x, within 0.5 ULP. That keeps -0 and subnormals. +Inf and NaN are returned too.
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let keep = select(y, x, (a < 0x33800000u) | (a >= 0x7f800000u));
  return select(select(keep, nan(), x < -1.0f), -infinity(), x == -1.0f);
}
