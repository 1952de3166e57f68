//#include "lib/bits.wgsl"
// nl_log(x) = ln x: at most 1 ULP (measured over all float32: 0.84), also for subnormal x. It is -Inf for 0 and -0, and NaN
// for x < 0; +Inf and NaN are returned as they are. x = 2^k (1 + f) with 1 + f in [2/3, 4/3), so that the sum
// k ln2 + ln(1 + f) does not cancel. ln(1 + f) = f - f^2/2 + f^3 P(f) with a minimax polynomial P of degree 7 (own fit).

// k ln2 + ln(1 + f) for f in [-1/3, 1/3] and integers k in [-149, 128].
fn nl_log_sum(f: f32, k: f32) -> f32 {
  var p = fma(f, -0x1.07c878p-3f, 0x1.1e678cp-3f);
  p = fma(p, f, -0x1.f332fep-4f);
  p = fma(p, f, 0x1.1ed662p-3f);
  p = fma(p, f, -0x1.559c44p-3f);
  p = fma(p, f, 0x1.99d044p-3f);
  p = fma(p, f, -0x1.fffefcp-3f);
  p = fma(p, f, 0x1.555506p-2f);
  let z = f * f;
  // Small terms are added first. The high part of ln2 has 15 bits, so its product with k is exact.
  let low = fma(z, -0.5f, fma(f * z, p, k * 0x1.7f7d1cp-20f));
  return fma(k, 0x1.62e4p-1f, f + low);
}

fn nl_log(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  // The bits of a subnormal, as an integer, are its value times 2^149. Float arithmetic may take a subnormal for 0.
  let subnormal = b < 0x00800000u;
  let c = bitcast<i32>(select(b, bitcast<u32>(f32(b)), subnormal));
  // 0x3f2aaaab are the bits of 2/3. After they are subtracted, the exponent bits are k.
  let e = (c - 0x3f2aaaab) & -0x00800000;
  let k = fma(f32(e), 0x1p-23f, select(0.0f, -149.0f, subnormal));
  let y = nl_log_sum(bitcast<f32>(c - e) - 1.0f, k);
  // +Inf and NaN are returned as they are; then come negative numbers, and at last both zeros.
  let ends = select(y, x, b >= 0x7f800000u);
  return select(select(ends, nan(), b > 0x80000000u), -infinity(), (b & 0x7fffffffu) == 0u);
}
