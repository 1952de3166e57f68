//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// With e = exp(-|x|) = 2^n (1 + t), which never overflows and keeps both tails:
//   nl_sigmoid(x) = 1 / (1 + e) for x >= 0, e / (1 + e) for x < 0: at most 2 ULP (measured
//     over all float32: 1.75)
//   nl_sigmoid_grad(x) = sigmoid(x) (1 - sigmoid(x)) = e / (1 + e)^2: at most 2.5 ULP
//     (measured: 2.22)
//   nl_sigmoid_times, nl_gate_grad: what silu, quickGelu and gelu's tanh form are made of; held to bounds by them.
// Results under 2^-126 may be flushed to 0. NaN stays.
// The numerator e is taken as 2^n (1 + t) unrounded: q (1 + t) = q + t q in one fma.

fn nl_sigmoid(x: f32) -> f32 {
  // Any number will do for a NaN, which the last select puts back.
  let a = max(-abs(x), -104.5f);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, n);
  // 2^n in two factors, as n goes down to -151.
  let h = half_of(n);
  let s1 = pow2i(h);
  let s2 = pow2i(n - h);
  let q = nl_rcp1p(((1.0f + t) * s1) * s2);
  return select(select(q, (fma(t, q, q) * s1) * s2, x < 0.0f), x, is_nan(x));
}

// f sigmoid(x + low), with f taken in before the tail underflows.
fn nl_sigmoid_times(f: f32, x: f32, low: f32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(a, select(-low, low, x < 0.0), n);
  // 2^n in two factors, as n goes down to -151.
  let h = half_of(n);
  let s1 = pow2i(h);
  let s2 = pow2i(n - h);
  let q = nl_rcp1p(((1.0f + t) * s1) * s2);
  let tail = ((fma(t, q, q) * s1) * f) * s2;
  // Where e^x is 0, f must not undo it.
  return select(select(q * f, select(tail, 0.0, x < -104.5), x < 0.0f), x, is_nan(x));
}

// s for nl_gate_grad where s is v: bounded, as e^-|v| is 0 past that and 0 Inf would be NaN.
fn clamp_gate(v: f32) -> f32 {
  return select(select(v, -105.0, v < -105.0), 105.0, v > 105.0);
}

// The derivative of z sigmoid(v) at v = x + low, for s = z dv/dz: sigmoid(v) (1 + s (1 - sigmoid(v))). s is given as
// s + s_low, as its rounding counts like another.
fn nl_gate_grad(x: f32, low: f32, s: f32, s_low: f32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(a, select(-low, low, x < 0.0), n);
  let h = half_of(n);
  let s1 = pow2i(h);
  let s2 = pow2i(n - h);
  let e = ((1.0f + t) * s1) * s2;
  let q = nl_rcp1p(e);
  // With e = e^-|v|, q = 1 / (1 + e): e q^2 ((1 + s) + e) below 0, q + s e q^2 above; no term cancels twice.
  let w = fma(t, q, q);
  let far = ((fma(-w, e * q, w) * s1) * ((1.0 + s) + (e + s_low))) * s2;
  // Near 0 the second term is small: sigmoid(v) + s (...), rounded once.
  let g = (w * s1) * s2;
  let slope = s + s_low;
  let tail = select(far, fma(g * q, slope, g), e > 0.55);
  let top = fma(e * q * q, slope, q);
  // Where e^x is 0, what the result is multiplied with must not undo it.
  return select(select(top, select(tail, 0.0, x < -104.5), x < 0.0), x, is_nan(x));
}

// 2^k e / (1 + e)^2 with e = exp(-|x|), k in [0, 2].
fn nl_exp_bell(x: f32, k: i32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, n);
  let h = half_of(n);
  let s1 = pow2i(h);
  let e = ((1.0f + t) * s1) * pow2i(n - h);
  let q = nl_rcp1p(e);
  let w = fma(t, q, q);
  let tail = (fma(-w, e * q, w) * s1) * pow2i(n - h + k);
  // Round the top, (1 - ((1 - e) / (1 + e))^2) / 4: the small square carries the errors.
  let u = (1.0f - e) * q;
  let top = pow2i(k - 2) * fma(-u, u, 1.0f);
  return select(select(tail, top, e > 0.3f), x, is_nan(x));
}

fn nl_sigmoid_grad(x: f32) -> f32 {
  return nl_exp_bell(x, 0);
}
