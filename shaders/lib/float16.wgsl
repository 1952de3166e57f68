// Two IEEE binary16 values in a u32, low half first, to and from float32. Integer operations
// only: WGSL's own pack2x16float leaves the rounding open and values beyond 65504
// indeterminate. Unpack is exact for all 65,536 values, pack correctly rounded (compared with a
// reference for 2^29 float32 of each sign and all ties). NaN stays NaN; pack makes it quiet.

// Exact. Subnormal halves are normal float32s, so no float operation here sees a subnormal.
fn unpack_half2(w: u32) -> vec2f {
  let h = vec2u(w & 0xffffu, w >> 16u);
  let a = h & vec2u(0x7fffu);
  // Exponent bias 15 to 127; Inf and NaN (exponent 31) go on up to 255.
  let n = (a << vec2u(13u)) + select(vec2u(0x38000000u), vec2u(0x70000000u), a >= vec2u(0x7c00u));
  let s = bitcast<vec2u>(vec2f(a) * 0x1p-24f);
  let m = select(n, s, a < vec2u(0x0400u));
  return bitcast<vec2f>(m | ((h & vec2u(0x8000u)) << vec2u(16u)));
}

// Rounds to nearest, ties to even; from 65520 on Inf, below 2^-14 subnormal.
fn pack_half2(v: vec2f) -> u32 {
  let b = bitcast<vec2u>(v);
  let a = b & vec2u(0x7fffffffu);
  // Normal halves drop 13 bits after the bias change. Subnormal halves are the mantissa with
  // its leading 1, shifted by 126 - exponent (25 rounds everything to 0).
  let sub = a < vec2u(0x38800000u);
  let d = min(vec2u(126u) - min(a >> vec2u(23u), vec2u(126u)), vec2u(25u));
  let s = select(vec2u(13u), d, sub);
  let m = select(a - vec2u(0x38000000u), (a & vec2u(0x007fffffu)) | vec2u(0x00800000u), sub);
  // Half the last place less one, plus the last bit kept: ties go to even. A carry out of the
  // mantissa moves into the exponent, as it should.
  let r = (m + (vec2u(1u) << (s - vec2u(1u))) - vec2u(1u) + ((m >> s) & vec2u(1u))) >> s;
  // 0x477ff000 is 65520, halfway from the largest half to 2^16.
  let i = select(r, vec2u(0x7c00u), a >= vec2u(0x477ff000u));
  let h = select(i, vec2u(0x7e00u), a > vec2u(0x7f800000u)) | ((b >> vec2u(16u)) & vec2u(0x8000u));
  return h.x | (h.y << 16u);
}
