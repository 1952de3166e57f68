//#include "lib/bits.wgsl"
// Sums that keep what rounding loses: the error of n terms does not grow with n (Kahan 1965; it is that of the terms' own
// roundings, and of the result's). `zero` is 0 at run time: no compiler knows, so none can take the correction, which is
// 0 in exact arithmetic, for 0.

struct Sum {
  high: f32,
  low: f32,
}

fn sum_hidden(x: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero);
}

fn sum_add(s: Sum, x: f32, zero: u32) -> Sum {
  let high = sum_hidden(s.high + x, zero);
  let taken = sum_hidden(high - s.high, zero);
  return Sum(high, s.low + (x - taken));
}

// Past the largest number the correction is no number.
fn sum_value(s: Sum) -> f32 {
  return select(s.high, s.high + s.low, abs(s.low) < 0x1p127f);
}

// Four sums side by side.
struct Sum4 {
  high: vec4f,
  low: vec4f,
}

fn sum4_hidden(x: vec4f, zero: u32) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(x) ^ vec4u(zero));
}

fn sum4_add(s: Sum4, x: vec4f, zero: u32) -> Sum4 {
  let high = sum4_hidden(s.high + x, zero);
  let taken = sum4_hidden(high - s.high, zero);
  return Sum4(high, s.low + (x - taken));
}

// The sum of the four.
fn sum4_value(s: Sum4, zero: u32) -> f32 {
  var total = Sum(s.high.x, (s.low.x + s.low.y) + (s.low.z + s.low.w));
  total = sum_add(total, s.high.y, zero);
  total = sum_add(total, s.high.z, zero);
  return sum_value(sum_add(total, s.high.w, zero));
}

// total / count, the count's reciprocal in two parts: no division, and no rounding of the count. Of nothing it is NaN.
fn sum_mean(total: f32, reciprocal: vec2f) -> f32 {
  let low = select(0.0, total * reciprocal.y, abs(total) < 0x1p127f);
  return select(fma(total, reciprocal.x, low), nan(), reciprocal.x == 0.0);
}
