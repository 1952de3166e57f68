// Compensated sums (Kahan 1965): the rounding error of the sum does not grow with the number of terms. The state is the sum
// so far and a correction, the part that rounding has lost. In exact arithmetic the correction is 0, and a compiler may
// replace it by 0. `zero` prevents that: it is 0 at run time, but the compiler does not know.

fn sum_hidden(x: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero);
}

fn sum_add(s: vec2f, x: f32, zero: u32) -> vec2f {
  let high = sum_hidden(s.x + x, zero);
  return vec2f(high, s.y + (x - sum_hidden(high - s.x, zero)));
}

// If the sum overflows, the correction is NaN.
fn sum_value(s: vec2f) -> f32 {
  return select(s.x, s.x + s.y, abs(s.y) < 0x1p127f);
}

// A sum in two parts, the second of which counts units of 2^32. If the first part reaches SUM_MOST or becomes NaN, the terms
// are summed again in these units. 2^32 terms do not overflow then, and terms too small for the units do not matter.
const SUM_MOST = 0x1p96f;
const SUM_UNIT = 0x1p-32f;

fn sum_whole(s: vec2f) -> f32 {
  return fma(s.y, 0x1p32f, s.x);
}
