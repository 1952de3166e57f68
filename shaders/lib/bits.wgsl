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

// n in the place of a float's exponent: n << 23. As a product, which compilers for GPUs turn into that shift; emulated GPUs
// shift one lane at a time, at the price of twenty multiplications.
fn to_exponent(n: i32) -> i32 {
  return n * 0x00800000;
}

// An integer near n / 2, for |n| < 2^21; without a shift, see above.
fn half_of(n: i32) -> i32 {
  return bitcast<i32>(fma(f32(n), 0.5, 12582912.0)) - 0x4b400000;
}

// 2^n for n in [-126, 127], exact; other n give garbage.
fn pow2i(n: i32) -> f32 {
  return bitcast<f32>(to_exponent(n + 127));
}

// x * 2^n for n in [-252, 254]. Two factors of about the same size, since 2^n itself may
// overflow or underflow where the product does not. Exact unless the result is subnormal.
fn scale2(x: f32, n: i32) -> f32 {
  let h = half_of(n);
  return (x * pow2i(h)) * pow2i(n - h);
}

// x, but at least low < 0 and at most high > 0; of a NaN one of them. Bits of positive numbers are in the order of signed
// integers, those of negative ones in that of unsigned ones. Emulators have one instruction for each of these, but five for a
// clamp of floats, which asks for NaN.
fn clamp_bits(x: f32, low: f32, high: f32) -> f32 {
  return bitcast<f32>(min(bitcast<u32>(min(bitcast<i32>(x), bitcast<i32>(high))), bitcast<u32>(low)));
}
