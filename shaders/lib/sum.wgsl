// Sums that keep what rounding loses: the error of n terms does not grow with n (Kahan 1965; it is that of the terms' own
// roundings, and of the result's). The state is the sum, and what is to be added to it. `zero` is 0 at run time: no
// compiler knows, so none can take the correction, which is 0 in exact arithmetic, for 0.

fn sum_hidden(x: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero);
}

fn sum_add(s: vec2f, x: f32, zero: u32) -> vec2f {
  let high = sum_hidden(s.x + x, zero);
  return vec2f(high, s.y + (x - sum_hidden(high - s.x, zero)));
}

// Past the largest number the correction is no number.
fn sum_value(s: vec2f) -> f32 {
  return select(s.x, s.x + s.y, abs(s.y) < 0x1p127f);
}

// Sums in two parts, the second in units of 2^32. One that is SUM_MOST or more, or no number, is taken again in those
// units: 2^32 terms of float32 stay within it, and what is too small for them is nothing beside the sum.
const SUM_MOST = 0x1p96f;
const SUM_UNIT = 0x1p-32f;

fn sum_whole(s: vec2f) -> f32 {
  return fma(s.y, 0x1p32f, s.x);
}
