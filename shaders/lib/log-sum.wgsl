//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log1p.wgsl"
// ln(e^a + e^b + e^c), from the largest: at most 3 ULP of the larger of 1 and the result. -Inf is the logarithm of
// nothing; NaN stays, and a +Inf gives NaN, as Inf - Inf does.
fn nl_log_sum3(a: f32, b: f32, c: f32) -> f32 {
  // Comparisons that let a NaN through: it ends in one of the three.
  let swap = b > a;
  let high = select(a, b, swap);
  let low = select(b, a, swap);
  let above = c > high;
  let peak = select(high, c, above);
  let middle = select(c, high, above);
  let origin = select(peak, 0.0, bitcast<u32>(peak) == 0xff800000u);
  let sum = peak + nl_log1p(nl_exp(low - origin) + nl_exp(middle - origin));
  return select(sum, nan(), bitcast<u32>(peak) == 0x7f800000u);
}

// ln(e^a + e^b).
fn nl_log_sum2(a: f32, b: f32) -> f32 {
  let swap = b > a;
  let peak = select(a, b, swap);
  let low = select(b, a, swap);
  let origin = select(peak, 0.0, bitcast<u32>(peak) == 0xff800000u);
  let sum = peak + nl_log1p(nl_exp(low - origin));
  return select(sum, nan(), bitcast<u32>(peak) == 0x7f800000u);
}
