//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// e^x of the elements of a row, on a scale that its largest element, the maximum, chooses: e^x 2^(30 - N) / e^shift, where
// the maximum's own is in [2^29.5, 2^30.5]. At most 1.1 ULP of the result for every x up to the maximum, however far below: the
// maximum is not subtracted, as x - max, rounded, would be off by |x - max| ULP. Instead the argument is x - shift, which is
// exact: shift is 0 where |max| < 168, else the maximum, and then every x within 104 of it is a multiple of the same 2^-17.
// Below e^-108 of the maximum's, which is 0 in any quotient, it is exactly 0; NaN stays.

struct Anchor {
  shift: f32,
  lowest: f32, // arguments from here down give 0
  scale: i32,  // the float exponent field that 2^0 has on this scale
}

fn anchor_of(row_max: f32) -> Anchor {
  let shift = select(0.0f, row_max, (abs(row_max) >= 168.0f) & !is_inf(row_max));
  let a = row_max - shift;
  let b = select(a, -168.0f, a < -168.0f);
  let n = nl_exp_n(select(b, 168.0f, b > 168.0f));
  return Anchor(shift, f32(n - 157) * 0x1.62e43p-1f, 157 - n);
}

fn anchored_exp(x: vec4f, anchor: Anchor) -> vec4f {
  // As nl_exp, four at a time. A product with a power of two, not an integer sum of exponents: it keeps a NaN.
  let d = x - anchor.shift;
  let b = select(d, vec4f(anchor.lowest), d < vec4f(anchor.lowest));
  let n = bitcast<vec4i>(fma(b, vec4f(0x1.715476p+0f), vec4f(12582912.0f))) - 0x4b400000;
  let nf = vec4f(n);
  // As in nl_exp_t, the term of degree 6 has hi, not r.
  let hi = fma(nf, vec4f(-0x1.62e4p-1f), b);
  let r = fma(nf, vec4f(-0x1.7f7d1cp-20f), hi);
  var p = fma(hi, vec4f(0x1.6ff142p-10f), vec4f(0x1.123b38p-7f));
  p = fma(p, r, vec4f(0x1.55516ap-5f));
  p = fma(p, r, vec4f(0x1.555490p-3f));
  p = fma(p, r, vec4f(0x1.000002p-1f));
  let t = fma(r * r, p, r);
  return (1.0f + t) * bitcast<vec4f>((n + anchor.scale) << vec4u(23u));
}

// The factor that takes a sum from one anchor's scale to that of another whose maximum is at least as large; exact between
// |max| < 168, and always finite. The difference of the shifts is above 0 in two cases only, and the factor is then 0:
// `before` is of a maximum of -Inf, so that its sum is 0, or `after` is of +Inf, so that the row has no normaliser.
fn rescale(before: Anchor, after: Anchor) -> f32 {
  let d = before.shift - after.shift;
  let b = select(select(d, 0.0f, d > 0.0f), -350.0f, d < -350.0f);
  let n = nl_exp_n(b);
  let e = n + (after.scale - before.scale);
  return (1.0f + nl_exp_t(b, f32(n))) * bitcast<f32>(max(e + 127, 0) << 23u);
}
