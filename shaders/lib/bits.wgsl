// Float32 by its bits: tests and values that WGSL cannot express as float arithmetic.
// WGSL compilers may assume that no NaN or infinity occurs, so `x != x` may fold to false
// and a constant infinity is refused; integers carry no such licence.

// True for every NaN. By the bits: never folded away.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// True for +Inf and -Inf.
fn is_inf(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

// +Inf. The `var` keeps it from being a constant expression, where WGSL refuses infinity.
fn infinity() -> f32 {
  var b = 0x7f800000u;
  return bitcast<f32>(b);
}

// A quiet NaN, with the bits PyTorch prints as nan.
fn nan() -> f32 {
  var b = 0x7fc00000u;
  return bitcast<f32>(b);
}

// 2^n for n in [-126, 127], exact; other n give garbage.
fn pow2i(n: i32) -> f32 {
  return bitcast<f32>((n + 127) << 23u);
}

// x * 2^n for n in [-252, 254]. Two factors of about the same size, since 2^n itself may
// overflow or underflow where the product does not. Exact unless the result is subnormal.
fn scale2(x: f32, n: i32) -> f32 {
  let h = n >> 1u;
  return (x * pow2i(h)) * pow2i(n - h);
}
