//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sqrt.wgsl"
// (x + sqrt(x^2 + b)) / 2. Below 0, where this cancels, it is b / 2 / (sqrt(x^2 + b) - x). Both are computed on a scale, a
// power of two, on which the larger of |x| and the root of b is 1 to 4, so that no square leaves float32.
struct Scaled {
  e: i32,      // x = z 2^e
  z: f32,      // |x| on the scale
  square: f32, // z^2 + b on the scale
  root: f32,
  m: f32,      // b = m 2^eb
  eb: i32,
}

// The exponent of a number above 0.
fn exponent_of(x: f32) -> i32 {
  return i32((bitcast<u32>(x) & 0x7f800000u) / 0x00800000u) - 127;
}

fn scaled(x: f32, b: f32) -> Scaled {
  let eb = exponent_of(b);
  let e = clamp(max(exponent_of(abs(x)), half_of(eb)), -64, 126);
  let scale = pow2i(-e);
  let z = abs(x) * scale;
  let square = fma(z, z, (b * scale) * scale);
  let m = bitcast<f32>((bitcast<u32>(b) & 0x007fffffu) | 0x3f800000u);
  return Scaled(e, z, square, nl_sqrt(square), m, eb);
}

// v 2^n, where n may be so small that the result is 0.
fn down(v: f32, n: i32) -> f32 {
  return select(scale2(v, max(n, -250)), 0.0 * v, n < -250);
}

fn forward(x: f32, p: Params) -> f32 {
  let s = scaled(x, p.b);
  let above = fma(s.root * 0.5, pow2i(s.e), 0.5 * x);
  let below = down(nl_quotient(s.m, s.root + s.z), s.eb - s.e - 1);
  let y = select(above, select(0.0, below, x > -0x1.fffffep+127f), x < 0.0);
  return select(y, x, is_nan(x) | (x > 0x1.fffffep+127f));
}

// (1 + x / root) / 2, which is b / 2 / (x^2 + b - x root) below 0, and 1 less the same of |x| from 0 on.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let s = scaled(x, p.b);
  let q = nl_quotient(s.m, fma(s.z, s.root, s.square));
  let n = s.eb - 2 * s.e - 1;
  let below = down(grad_output * q, n);
  let above = grad_output * (1.0 - down(q, n));
  let y = select(above, below, x < 0.0);
  let end = select(grad_output, 0.0 * grad_output, x < 0.0);
  return select(select(y, end, is_inf(x)), x, is_nan(x));
}
