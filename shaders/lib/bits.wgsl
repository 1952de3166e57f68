// Tests and values of float32 that are made from its bits. WGSL compilers may assume that NaN and infinity never occur:
// they may replace `x != x` by false, and they refuse a constant infinity. They may assume nothing of integers.

// True for every NaN.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// True for +Inf and -Inf.
fn is_inf(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

// +Inf. With a `let` it would be a constant expression, in which WGSL refuses infinity; with a `var` it is not.
fn infinity() -> f32 {
  var b = 0x7f800000u;
  return bitcast<f32>(b);
}

// A quiet NaN, with the same bits as PyTorch's.
fn nan() -> f32 {
  var b = 0x7fc00000u;
  return bitcast<f32>(b);
}

// n << 23, which moves n to the exponent bits of a float. It is written as a product, because emulated GPUs shift element by
// element, which costs as much as twenty products. Compilers of real GPUs turn the product into a shift.
fn to_exponent(n: i32) -> i32 {
  return n * 0x00800000;
}

// An integer near n / 2, for |n| < 2^21, without a shift for the same reason.
fn half_of(n: i32) -> i32 {
  return bitcast<i32>(fma(f32(n), 0.5, 12582912.0)) - 0x4b400000;
}

// 2^n, exact for n in [-126, 127]. Other n give a meaningless number.
fn pow2i(n: i32) -> f32 {
  return bitcast<f32>(to_exponent(n + 127));
}

// x * 2^n for n in [-252, 254], exact unless the result is subnormal. x is multiplied by two powers of about the same size,
// because 2^n may overflow or underflow where the product does not.
fn scale2(x: f32, n: i32) -> f32 {
  let h = half_of(n);
  return (x * pow2i(h)) * pow2i(n - h);
}

// x limited to [low, high], where low < 0 and high > 0; for a NaN one of the two. The bits of positive floats have the order
// of signed integers, and those of negative floats the order of unsigned ones. Emulated GPUs need one instruction for each of
// these comparisons of integers, but five for a clamp of floats, as they test for NaN.
fn clamp_bits(x: f32, low: f32, high: f32) -> f32 {
  return bitcast<f32>(min(bitcast<u32>(min(bitcast<i32>(x), bitcast<i32>(high))), bitcast<u32>(low)));
}

// x * 2^n, by its exponent instead of a product; exact where x and the result are normal numbers, and for 0. Elsewhere the product.
// Compilers make a (b - c) of a b - a c, and (a C) b of (a b) C, where C is a constant. Both may overflow where what was
// written does not, so a factor that keeps values within range must not look like one.
fn move_exponent(x: f32, n: i32) -> f32 {
  let e = (bitcast<i32>(x) >> 23u) & 0xff;
  let normal = (e > 0) & (e < 0xff) & (e + n > 0) & (e + n < 0xff);
  return select(x * pow2i(n), bitcast<f32>(bitcast<i32>(x) + to_exponent(n)), normal);
}
