//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// e^x of the elements of a row, times a factor that is the same for the whole row: e^x 2^(30 - N) / e^shift. The largest
// element, the maximum, chooses N so that its own result is in [2^29.5, 2^30.5]. The error is at most 1.1 ULP for every x
// up to the maximum, however far below it. Softmax usually computes e^(x - max), but the rounding of x - max is an error
// of up to |x - max| ULP of the result. Here the argument is x - shift, which is exact. If |max| < 168, shift is 0.
// Otherwise shift is the maximum, and every x within 104 of it is a multiple of 2^-17, so that no bit is lost.
// Results below e^-108 times that of the maximum are exactly 0; they would be 0 in any quotient. NaN stays NaN.

struct Anchor {
  shift: f32,
  lowest: f32, // the result is 0 for this argument and smaller ones
  scale: i32,  // the exponent bits of 2^0 times the factor of the row
}

fn anchor_of(row_max: f32) -> Anchor {
  let shift = select(0.0f, row_max, (abs(row_max) >= 168.0f) & !is_inf(row_max));
  let a = row_max - shift;
  let b = select(a, -168.0f, a < -168.0f);
  let n = nl_exp_n(select(b, 168.0f, b > 168.0f));
  return Anchor(shift, f32(n - 157) * 0x1.62e43p-1f, 157 - n);
}

fn anchored_exp(x: vec4f, anchor: Anchor) -> vec4f {
  return anchored_exp_each(x, vec4f(anchor.shift), vec4f(anchor.lowest), vec4i(anchor.scale));
}

// The same of elements of four rows.
fn anchored_exp_each(x: vec4f, shift: vec4f, lowest: vec4f, scale: vec4i) -> vec4f {
  // As nl_exp, for four elements. 2^n is a factor here and not added to the exponent bits, because a product keeps NaN.
  let d = x - shift;
  let b = select(d, lowest, d < lowest);
  let n = bitcast<vec4i>(fma(b, vec4f(0x1.715476p+0f), vec4f(12582912.0f))) - 0x4b400000;
  let nf = vec4f(n);
  // As in nl_exp_t, the term of degree 6 is computed from hi instead of r.
  let hi = fma(nf, vec4f(-0x1.62e4p-1f), b);
  let r = fma(nf, vec4f(-0x1.7f7d1cp-20f), hi);
  var p = fma(hi, vec4f(0x1.6ff142p-10f), vec4f(0x1.123b38p-7f));
  p = fma(p, r, vec4f(0x1.55516ap-5f));
  p = fma(p, r, vec4f(0x1.555490p-3f));
  p = fma(p, r, vec4f(0x1.000002p-1f));
  let t = fma(r * r, p, r);
  // The product by 2^23 stands for a shift: see to_exponent.
  return (1.0f + t) * bitcast<vec4f>((n + scale) * 0x00800000);
}

// The same of one element.
fn anchored_exp_one(x: f32, anchor: Anchor) -> f32 {
  let d = x - anchor.shift;
  let b = select(d, anchor.lowest, d < anchor.lowest);
  let n = nl_exp_n(b);
  return (1.0f + nl_exp_t(b, f32(n))) * bitcast<f32>(to_exponent(n + anchor.scale));
}

// The factor that converts a sum from the scale of one anchor to that of another, whose maximum is at least as large. It is
// always finite, and exact while |max| < 168. The first shift is larger than the second in two cases only, and the factor
// is then 0: the maximum of `before` is -Inf, so its sum is 0; or that of `after` is +Inf, so the row has no softmax.
fn rescale(before: Anchor, after: Anchor) -> f32 {
  let d = before.shift - after.shift;
  let b = select(select(d, 0.0f, d > 0.0f), -350.0f, d < -350.0f);
  let n = nl_exp_n(b);
  let e = n + (after.scale - before.scale);
  return (1.0f + nl_exp_t(b, f32(n))) * bitcast<f32>(to_exponent(max(e + 127, 0)));
}
