// Conversions between float32 and IEEE binary16. A u32 holds two halves, the first in the low bits. WGSL's pack2x16float is
// not used, because WGSL leaves its rounding open, and its result beyond 65504 too. Unpacking is exact for all 65,536
// values, and packing is correctly rounded (compared with a reference for all 2^32 float32). A NaN is packed as a quiet NaN.

// Converts both halves. This is exact.
fn unpack_half2(w: u32) -> vec2f {
  // Exponent and mantissa are moved to their places in a float32. The product then changes the bias from 15 to 127.
  let m = bitcast<vec2u>(bitcast<vec2i>(vec2u(w << 16u, w)) >> vec2u(3u)) & vec2u(0x8fffe000u);
  let n = m + vec2u(0x38000000u);
  // No float operation here has a subnormal, Inf or NaN as operand or result. Halves that are Inf or NaN are 2^16 and more at
  // this point, and a subnormal half m 2^-24 is 2^-15 + m 2^-25.
  let a = abs(bitcast<vec2f>(n));
  let s = bitcast<vec2u>(fma(a, vec2f(2.0), vec2f(-0x1p-14f))) | (n & vec2u(0x80000000u));
  return bitcast<vec2f>(select(select(n, n | vec2u(0x7f800000u), a >= vec2f(0x1p16f)), s, a < vec2f(0x1p-14f)));
}

// Rounds to the nearest half, ties to even. Values from 65520 on become Inf, values below 2^-14 subnormal halves.
fn pack_half2(v: vec2f) -> u32 {
  let b = bitcast<vec2u>(v);
  let a = b & vec2u(0x7fffffffu);
  // Values from 2^16 on become Inf. Those from 65520 to 2^16 do by rounding.
  let c = min(a, vec2u(0x47800000u));
  // The mantissa with its leading 1, and above it the exponent minus 113, which is the exponent of 2^-14. For subnormal
  // halves it is shifted by 113 - exponent more bits. A shift by 25 bits rounds every value to 0.
  let e = min(c & vec2u(0x7f800000u), vec2u(0x38800000u));
  let m = (c - e) + vec2u(0x00800000u);
  let s = min(vec2u(126u) - (e >> vec2u(23u)), vec2u(25u));
  // Adding half of the last place minus 1, and the last bit that is kept, rounds ties to even. A carry out of the mantissa
  // increases the exponent, which is right.
  let r = (m + ((vec2u(1u) << (s - vec2u(1u))) - vec2u(1u)) + ((m >> s) & vec2u(1u))) >> s;
  let h = select(r, vec2u(0x7e00u), a > vec2u(0x7f800000u));
  return h.x | (h.y << 16u) | ((b.x >> 16u) & 0x8000u) | (b.y & 0x80000000u);
}
