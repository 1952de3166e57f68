//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// x tanh(ln(1 + e^x)) = x n / d with e = e^x, n = e (e + 2), d = n + 2. Below 0 it is x e (1 - e (e + 1) / d), above
// x (1 - 2 / d): the rounding of the quotient counts little. NaN at -Inf, PyTorch's -Inf 0.
struct Parts {
  x: f32, // as far out as the results change
  n: i32, // e = 2^n (1 + t)
  t: f32,
  e: f32,
  r: f32, // 1 / d
}

fn parts_of(x: f32) -> Parts {
  let a = clamp(x, -120.0, 30.0);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, f32(n));
  let e = nl_exp_join(t, n);
  let m = e * (e + 2.0);
  let q = 1.0 / (m + 2.0);
  // One Newton step, for the rounding of d and the 2.5 ULP that WGSL grants a division.
  return Parts(a, n, t, e, fma(q, fma(-m, q, fma(-2.0, q, 1.0)), q));
}

// f e^x, for f of any size up to 2^60.
fn tail_of(v: Parts, f: f32) -> f32 {
  return fma(v.t, f, f) * pow2i(v.n + 64);
}

fn forward(x: f32, p: Params) -> f32 {
  let v = parts_of(x);
  let below = tail_of(v, fma(-v.e * (v.e + 1.0), v.r, 1.0) * v.x) * 0x1p-64f;
  let above = fma(-2.0, v.r, 1.0) * x;
  // From -0.7 to 0.35 a polynomial (own fit): the quotient has no bits to spare.
  let w = x + 0.175;
  var c = fma(w, -0x1.72f018p-12f, -0x1.68305cp-11f);
  c = fma(c, w, 0x1.0b0faep-9f);
  c = fma(c, w, 0x1.96d5d6p-8f);
  c = fma(c, w, -0x1.b04778p-8f);
  c = fma(c, w, -0x1.630d7ep-5f);
  c = fma(c, w, 0x1.f29928p-8f);
  c = fma(c, w, 0x1.4924d6p-2f);
  c = fma(c, w, 0x1.1666f4p-1f);
  let y = select(select(above, below, x < 0.0), x * c, abs(w) < 0.525);
  // -Inf, and NaN below it; other NaN are NaN by now.
  return select(y, nan(), bitcast<u32>(x) >= 0xff800000u);
}

// Its derivative n / d + 4 x e (e + 1) / d^2; below 0 e (1 - h + x (1 - k)), h = e (e + 1) / d, k = e (4 + e (8 + e (4 + e))) / d^2,
// above 1 - 2 / d + 4 x h / d. NaN at +-Inf, as PyTorch's Inf 0.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = parts_of(x);
  let h = (v.e * (v.e + 1.0)) * v.r;
  let k = (v.e * fma(v.e, fma(v.e, 4.0 + v.e, 8.0), 4.0)) * (v.r * v.r);
  let below = tail_of(v, fma(v.x, 1.0 - k, 1.0 - h)) * 0x1p-64f;
  let above = fma((4.0 * v.x) * v.r, h, fma(-2.0, v.r, 1.0));
  let w = x + 0.175;
  var c = fma(w, -0x1.ec0858p-9f, -0x1.3a41a2p-8f);
  c = fma(c, w, 0x1.f7a244p-7f);
  c = fma(c, w, 0x1.1ef2b2p-5f);
  c = fma(c, w, -0x1.3af86ep-5f);
  c = fma(c, w, -0x1.59944cp-3f);
  c = fma(c, w, 0x1.75638ap-5f);
  c = fma(c, w, 0x1.47c7cap-1f);
  c = fma(c, w, 0x1.f33442p-2f);
  let slope = select(select(above, below, x < 0.0), c, abs(w) < 0.525);
  return select(grad_output * slope, nan(), is_inf(x) | is_nan(x));
}
