//#include "lib/bits.wgsl"
// Numbers between float32 and int32.

// Towards 0; the nearest int32 of what is beyond them, and 0 for NaN, which WGSL leaves open.
fn int_of(x: f32) -> i32 {
  let inside = clamp(select(x, 0.0, is_nan(x)), -2147483648.0, 2147483520.0);
  return select(i32(inside), 2147483647, x >= 2147483648.0);
}

// Rounded once, to nearest, which WGSL leaves open as well: both parts are exact.
fn float_of(x: i32) -> f32 {
  return fma(f32(x >> 16u), 65536.0, f32(x & 0xffff));
}
