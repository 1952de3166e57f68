// Two IEEE binary16 values in a u32, low half first, to and from float32. Without WGSL's own conversions: pack2x16float leaves
// the rounding open and values beyond 65504 indeterminate. Unpack is exact for all 65,536 values, pack correctly rounded
// (compared with a reference for all 2^32 float32). NaN stays NaN; pack makes it quiet.

// Exact.
fn unpack_half2(w: u32) -> vec2f {
  // Exponent and mantissa in their places, under the sign; then the exponent's bias from 15 to 127.
  let m = bitcast<vec2u>(bitcast<vec2i>(vec2u(w << 16u, w)) >> vec2u(3u)) & vec2u(0x8fffe000u);
  let n = m + vec2u(0x38000000u);
  // No float operation here sees a subnormal, Inf or NaN. Inf and NaN are 2^16 and more by now, subnormal halves m 2^-24 are
  // 2^-15 + m 2^-25.
  let a = abs(bitcast<vec2f>(n));
  let s = bitcast<vec2u>(fma(a, vec2f(2.0), vec2f(-0x1p-14f))) | (n & vec2u(0x80000000u));
  return bitcast<vec2f>(select(select(n, n | vec2u(0x7f800000u), a >= vec2f(0x1p16f)), s, a < vec2f(0x1p-14f)));
}

// Rounds to nearest, ties to even; from 65520 on Inf, below 2^-14 subnormal.
fn pack_half2(v: vec2f) -> u32 {
  let b = bitcast<vec2u>(v);
  let a = b & vec2u(0x7fffffffu);
  // All from 2^16 on is Inf; rounding makes Inf of what is halfway there.
  let c = min(a, vec2u(0x47800000u));
  // The mantissa with its leading 1, and above it the exponent beyond that of 2^-14, 113. Subnormal halves are that, shifted
  // further by 113 - exponent; a shift by 25 rounds everything to 0.
  let e = min(c & vec2u(0x7f800000u), vec2u(0x38800000u));
  let m = (c - e) + vec2u(0x00800000u);
  let s = min(vec2u(126u) - (e >> vec2u(23u)), vec2u(25u));
  // Half the last place less one, plus the last bit kept: ties go to even. A carry out of the
  // mantissa moves into the exponent, as it should.
  let r = (m + ((vec2u(1u) << (s - vec2u(1u))) - vec2u(1u)) + ((m >> s) & vec2u(1u))) >> s;
  let h = select(r, vec2u(0x7e00u), a > vec2u(0x7f800000u));
  return h.x | (h.y << 16u) | ((b.x >> 16u) & 0x8000u) | (b.y & 0x80000000u);
}
