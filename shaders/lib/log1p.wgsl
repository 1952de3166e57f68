//#include "lib/bits.wgsl"
//#include "lib/log.wgsl"
// nl_log1p(x) = ln(1 + x): at most 2 ULP (measured over all float32: 1.59); tiny x and -0 stay;
// -Inf at -1, NaN below, +Inf and NaN stay.
// k comes from the rounded 1 + x, but f with 2^k (1 + f) = 1 + x is made from x itself,
// f = 2^-k x + (2^-k - 1), so that nothing of x is lost. Then as nl_log.

fn nl_log1p(x: f32) -> f32 {
  // 0x3f2aaaab is 2/3, as in nl_log.
  let e = (bitcast<i32>(1.0f + x) - 0x3f2aaaab) & -0x00800000;
  // 4 * 2^-k, which is normal even for k = 128. Explicit fma: no compiler may then reorder the
  // sums, and the products, being by powers of two, are exact fused or not.
  let s = bitcast<f32>(0x40800000 - e);
  let f = fma(0.25f * x, s, fma(s, 0.25f, -1.0f));
  let y = nl_log_sum(f, f32(e) * 0x1p-23f);
  // Below 2^-24 ln(1 + x) is x to 0.5 ULP, which keeps -0 and subnormals; +Inf and NaN stay too.
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let keep = select(y, x, (a < 0x33800000u) | (a >= 0x7f800000u));
  return select(select(keep, nan(), x < -1.0f), -infinity(), x == -1.0f);
}
