//#include "lib/bits.wgsl"
// The larger and the smaller of two numbers: NaN if either is, and -0 below 0.
fn maximum_of(a: f32, b: f32) -> f32 {
  // Of two that are equal, the one whose sign is +.
  let first = (a > b) | ((a == b) & (bitcast<i32>(a) >= 0)) | is_nan(a);
  return select(select(b, a, first), b, is_nan(b));
}

fn minimum_of(a: f32, b: f32) -> f32 {
  let first = (a < b) | ((a == b) & (bitcast<i32>(a) < 0)) | is_nan(a);
  return select(select(b, a, first), b, is_nan(b));
}

// The gradient of one of two operands: half of it where both are equal, and all of it also where one is NaN, as in PyTorch.
fn maximum_grad(own: f32, other: f32, g: f32) -> f32 {
  return select(select(g, 0.5 * g, own == other), 0.0, own < other);
}

fn minimum_grad(own: f32, other: f32, g: f32) -> f32 {
  return select(select(g, 0.5 * g, own == other), 0.0, own > other);
}
