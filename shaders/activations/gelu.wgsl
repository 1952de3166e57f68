//#include "lib/bits.wgsl"
//#include "lib/erf.wgsl"
//#include "lib/sigmoid.wgsl"
// requires: approximate
// x Phi(x). `approximate`, a constant, is 0: Phi(-a) = e^(-a^2/2) M(a), M(a) = erfcx(a / sqrt 2) / 2, never 1 + erf; or 1: the tanh form,
// x sigmoid(v), v = sqrt(8/pi) (x + 0.044715 x^3). NaN at -Inf, as PyTorch's -Inf 0.

// Past 14.6 the tail and its slope are 0 in float32: at 15 too, where subnormals are kept (a gate of Inf would show them).
fn tail_arg(x: f32) -> f32 {
  return min(abs(x), 15.0);
}

// The tail is -e^(-a^2/2) a M(a), and x more above 0; a M(a) is a polynomial of its own (own fit), for a > 0.7: no quotient.
// In (a - 1.75) / (a + 1.75), as the rounding of that counts least where results are just above a power of two.
fn exact_forward(x: f32) -> f32 {
  let a = tail_arg(x);
  let t = (a - 1.75) / (a + 1.75);
  var p = fma(t, 0x1.ed3252p-11f, -0x1.8fd5a8p-13f);
  p = fma(p, t, -0x1.54ee72p-9f);
  p = fma(p, t, -0x1.db252ep-9f);
  p = fma(p, t, 0x1.e0cafcp-9f);
  p = fma(p, t, 0x1.6b40dcp-6f);
  p = fma(p, t, 0x1.e996d8p-8f);
  p = fma(p, t, -0x1.257252p-3f);
  p = fma(p, t, 0x1.859d36p-3f);
  p = fma(p, t, 0x1.4bef66p-2f);
  let g = nl_gauss(a, 0.5);
  // By bits, as floats that compare would lose a NaN above 0: x there, else 0.
  let line = bitcast<f32>(max(bitcast<i32>(x), 0));
  let far = fma(fma(g.t, p, p) * pow2i(g.n + 64), -0x1p-64f, line);
  // Near 0 Phi's series (own fit): x / 2 is exact.
  let z = x * x;
  var c = fma(z, 0x1.9de128p-14f, -0x1.3437bcp-10f);
  c = fma(c, z, 0x1.46b1fep-7f);
  c = fma(c, z, -0x1.1057b8p-4f);
  c = fma(c, z, 0x1.988452p-2f);
  let near = fma(z, c, 0.5 * x);
  // -Inf, and NaN below it; other NaN are NaN by now.
  return select(select(far, near, a < 0.8), nan(), bitcast<u32>(x) >= 0xff800000u);
}

// Phi(x) + x phi(x): d = e^(-a^2/2) (M(a) - a / sqrt(2 pi)) at -a, 1 - d at a. M is a polynomial in (a - 1.125) / (a + 1.125)
// (own fit), which is small where the two parts of d cancel.
fn exact_slope(x: f32) -> f32 {
  let a = tail_arg(x);
  let t = (a - 1.125) / (a + 1.125);
  var p = fma(t, 0x1.7f17cep-10f, -0x1.3183f6p-10f);
  p = fma(p, t, -0x1.14b12ep-10f);
  p = fma(p, t, -0x1.127b34p-9f);
  p = fma(p, t, -0x1.30bbd4p-9f);
  p = fma(p, t, 0x1.e9bf1cp-10f);
  p = fma(p, t, 0x1.b7d65cp-7f);
  p = fma(p, t, 0x1.b90218p-6f);
  p = fma(p, t, -0x1.77c644p-8f);
  p = fma(p, t, -0x1.1b4398p-2f);
  p = fma(p, t, 0x1.f6704ep-3f);
  let m = p - fma(a, 0x1.988454p-2f, a * -0x1.857936p-27f);
  let g = nl_gauss(a, 0.5);
  let d = (fma(g.t, m, m) * pow2i(g.n + 64)) * 0x1p-64f;
  // Near 0 its series.
  let z = x * x;
  var c = fma(z, 0x1.24dcc0p-10f, -0x1.37a91ap-7f);
  c = fma(c, z, 0x1.ea45b8p-5f);
  c = fma(c, z, -0x1.10586ap-2f);
  c = fma(c, z, 0x1.988454p-1f);
  return select(select(1.0 - d, d, x < 0.0), fma(x, c, 0.5), a < 0.55);
}

// v = b (c1 + c2 b^2) for |b| <= 11, past which the exponential is 0, as a sum of two: the exponential would multiply its rounding by |v|. Products of 12-bit parts are
// exact. And s = b dv/db = b (3 (c1 + c2 b^2) - 2 c1).
struct TanhArg {
  hi: f32,
  lo: f32,
  s: f32,
  s_low: f32,
}

fn high(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

fn tanh_arg(b: f32) -> TanhArg {
  // sqrt(8/pi) and that times 0.044715, each in two parts.
  let c1 = 0x1.988p+0f;
  let c1_low = 0x1.14cf5p-14f;
  let c2 = 0x1.244p-4f;
  let c2_low = 0x1.3ca936p-18f;
  let bh = high(b);
  let bl = b - bh;
  let z = bh * bh;
  let zh = high(z);
  let zl = fma(bl, b + bh, z - zh);
  let wh = high(fma(c2 + c2_low, z, c1));
  let wl = fma(c2, zh, c1 - wh) + fma(c2 + c2_low, zl, fma(c2_low, zh, c1_low));
  let lo = fma(bl, wh, b * wl);
  let slope = 3.0 * wh - 2.0 * c1;
  let s_low = fma(bl, slope, b * (3.0 * wl - 2.0 * c1_low));
  return TanhArg(bh * wh, lo, bh * slope, s_low);
}

fn tanh_forward(x: f32) -> f32 {
  // Above 5.5 the sigmoid is 1, below -11 it is 0.
  let b = clamp_bits(x, -11.0, 5.5);
  let v = tanh_arg(b);
  return nl_gated_within(x, b, v.hi, v.lo, 5.5);
}

fn forward(x: f32, p: Params) -> f32 {
  if (approximate == 0u) {
    return exact_forward(x);
  }
  return tanh_forward(x);
}

// NaN at +-Inf, as PyTorch's Inf 0.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  var slope = 0.0;
  if (approximate == 0u) {
    slope = exact_slope(x);
  } else {
    let b = select(x, select(11.0, -11.0, x < 0.0), abs(x) > 11.0);
    let v = tanh_arg(b);
    slope = nl_gate_grad(v.hi, v.lo, v.s, v.s_low);
  }
  return select(grad_output * slope, nan(), is_inf(x) | is_nan(x));
}
