//#include "lib/bits.wgsl"
//#include "lib/erf.wgsl"
//#include "lib/sigmoid.wgsl"
// x Phi(x). `approximate` is 0: Phi(-a) = e^(-a^2/2) M(a), M(a) = erfcx(a / sqrt 2) / 2, never 1 + erf; or 1: the tanh form,
// x sigmoid(v), v = sqrt(8/pi) (x + 0.044715 x^3). NaN at -Inf, as PyTorch's -Inf 0.
fn half_erfcx(a: f32) -> f32 {
  return 0.5 * nl_erfcx(0x1.6a09e6p-1f * a);
}

// Past 14.5 the tail is 0 in float32.
fn tail_arg(x: f32) -> f32 {
  return select(abs(x), 14.4, abs(x) > 14.4);
}

fn exact_forward(x: f32) -> f32 {
  let a = tail_arg(x);
  let g = nl_gauss(a, 0.5);
  let m = half_erfcx(a);
  let w = fma(g.t, m, m);
  let s1 = pow2i(g.n >> 1u);
  let s2 = pow2i(g.n - (g.n >> 1u));
  return select(x * (1.0 - (w * s1) * s2), -((w * s1) * a) * s2, x < 0.0);
}

// Phi(x) + x phi(x): d = e^(-a^2/2) (M(a) - a / sqrt(2 pi)) at -a, 1 - d at a.
fn exact_slope(x: f32) -> f32 {
  let a = tail_arg(x);
  let g = nl_gauss(a, 0.5);
  let m = half_erfcx(a) - fma(a, 0x1.988454p-2f, a * -0x1.857936p-27f);
  let s1 = pow2i(g.n >> 1u);
  let d = (fma(g.t, m, m) * s1) * pow2i(g.n - (g.n >> 1u));
  return select(select(1.0 - d, d, x < 0.0), x, is_nan(x));
}

// v = x (c1 + c2 x^2) as a sum of two: the exponential would multiply its rounding by |v|. Products of 12-bit parts are exact.
struct Pair {
  hi: f32,
  lo: f32,
}

fn high(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

fn tanh_arg(x: f32) -> Pair {
  // sqrt(8/pi) and that times 0.044715, each in two parts.
  let c1 = 0x1.988p+0f;
  let c1_low = 0x1.14cf5p-14f;
  let c2 = 0x1.244p-4f;
  let c2_low = 0x1.3ca936p-18f;
  let b = select(x, select(11.0, -11.0, x < 0.0), abs(x) > 11.0);
  let bh = high(b);
  let bl = b - bh;
  let z = bh * bh;
  let zh = high(z);
  let zl = fma(bl, b + bh, z - zh);
  let wh = high(fma(c2 + c2_low, z, c1));
  let wl = fma(c2, zh, c1 - wh) + fma(c2, zl, fma(c2_low, zh, c1_low));
  return Pair(bh * wh, fma(bl, wh, b * wl));
}

// x dv/dx = x (c1 + 3 c2 x^2)
fn tanh_slope(x: f32) -> f32 {
  let b = select(x, select(11.0, -11.0, x < 0.0), abs(x) > 11.0);
  return b * fma(0x1.b6676cp-3f, b * b, 0x1.988454p+0f);
}

fn forward(x: f32, p: Params) -> f32 {
  var y = 0.0;
  if (p.approximate == 0u) {
    y = exact_forward(x);
  } else {
    let v = tanh_arg(x);
    y = nl_sigmoid_times(x, v.hi, v.lo);
  }
  return select(y, nan(), is_nan(x) | (is_inf(x) & (x < 0.0)));
}

// NaN at +-Inf, as PyTorch's Inf 0.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  var slope = 0.0;
  if (p.approximate == 0u) {
    slope = exact_slope(x);
  } else {
    let v = tanh_arg(x);
    slope = nl_gate_grad(v.hi, v.lo, tanh_slope(x));
  }
  return select(grad_output * slope, nan(), is_inf(x) | is_nan(x));
}
