//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// With e^-x = 2^-n (1 + t), the sigmoid is 2^n / (2^n + 1 + t) for both signs: one quotient, without overflow, and with both
// tails.
//   nl_sigmoid(x) = 1 / (1 + e^-x): at most 1.5 ULP (measured: 1.38)
//   nl_sigmoid_grad(x) = sigmoid(x) (1 - sigmoid(x)) = e / (1 + e)^2: at most 2.5 ULP
//     (measured: 2.22)
//   nl_sigmoid_times, nl_gate_grad: what silu, quickGelu and gelu's tanh form are made of; held to bounds by them.
// Results under 2^-126 may be flushed to 0.

struct Sigmoid {
  y: f32,    // 2^64 times the sigmoid, which has no subnormal numbers then
  rest: f32, // 1 less the sigmoid
}

// Of a + low, a in [-130, 30]. One Newton step on the reciprocal, its residual taken from t, which undoes the rounding of
// 1 + t and the 2.5 ULP that WGSL grants a division.
fn nl_sigmoid_of(a: f32, low: f32) -> Sigmoid {
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(-a, -low, -f32(n));
  let s = pow2i(n + 64);
  let r = 1.0f / fma(s, 0x1p-64f, 1.0f + t);
  let y = s * r;
  let step = fma(-t, r, fma(y, -0x1p-64f, 1.0f) - r);
  let q = fma(r, step, r);
  return Sigmoid(fma(y, step, y), fma(t, q, q));
}

// Far out the sigmoid is 0, times any number up to 10^7, or 1.
fn nl_sigmoid_arg(x: f32) -> f32 {
  return clamp_bits(x, -120.0, 30.0);
}

fn nl_sigmoid(x: f32) -> f32 {
  // Any number will do for a NaN, which the select puts back.
  return select(nl_sigmoid_of(nl_sigmoid_arg(x), 0.0).y * 0x1p-64f, x, is_nan(x));
}

// x sigmoid(v + low), for v of the sign of x and at least as large, but for a few units; NaN at -Inf, as PyTorch's -Inf 0.
fn nl_gated(x: f32, v: f32, low: f32) -> f32 {
  return nl_gated_within(x, nl_sigmoid_arg(x), nl_sigmoid_arg(v), low, 30.0);
}

// The same of inputs that are bounded already: v in [-130, 30], and within, which is x up to `end` and at least where the
// sigmoid is 0. Above `end` the sigmoid is 1.
fn nl_gated_within(x: f32, within: f32, v: f32, low: f32, end: f32) -> f32 {
  let near = (nl_sigmoid_of(v, low).y * within) * 0x1p-64f;
  // By bits, where a NaN is above +Inf, or below -Inf.
  let y = select(near, x, bitcast<i32>(x) > bitcast<i32>(end));
  return select(y, nan(), bitcast<u32>(x) >= 0xff800000u);
}

// f sigmoid(x + low), with f taken in before the tail underflows.
fn nl_sigmoid_times(f: f32, x: f32, low: f32) -> f32 {
  // Only of a small sigmoid is f times 2^64 of it in range.
  let tiny = x < -60.0;
  let y = nl_sigmoid_of(nl_sigmoid_arg(x), low).y;
  let product = ((y * select(0x1p-64f, 1.0, tiny)) * f) * select(1.0, 0x1p-64f, tiny);
  // Where e^x is 0, f must not undo it.
  return select(select(product, 0.0, x < -104.5), x, is_nan(x));
}

// The same by e^-|x|, as nl_softplus_low(x, low) is: where both are wanted, the exponential is computed once.
fn nl_sigmoid_beside(f: f32, x: f32, low: f32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(a, select(-low, low, x < 0.0), f32(n));
  let q = nl_rcp1p(nl_exp_join(t, n));
  // 2^n in two factors, as n goes down to -151, and f between them.
  let h = half_of(n);
  let tail = ((fma(t, q, q) * pow2i(h)) * f) * pow2i(n - h);
  return select(select(q * f, select(tail, 0.0, x < -104.5), x < 0.0), x, is_nan(x));
}

// The derivative of z sigmoid(v) at v = x + low, for s = z dv/dz: sigmoid(v) (1 + s (1 - sigmoid(v))). s is given as
// s + s_low, as its rounding counts like another; |s| up to 1000. A NaN gives any number.
fn nl_gate_grad(x: f32, low: f32, s: f32, s_low: f32) -> f32 {
  let v = nl_sigmoid_of(nl_sigmoid_arg(x), low);
  let slope = s + s_low;
  // Below 0 1 + s may cancel, and the sigmoid is the small part; above it is its rest.
  let factor = select(fma(slope, v.rest, 1.0), (1.0 + s) + fma(slope * v.y, -0x1p-64f, s_low), x < 0.0);
  return (v.y * factor) * 0x1p-64f;
}

// 2^k e / (1 + e)^2 with e = exp(-|x|), k in [0, 2].
fn nl_exp_bell(x: f32, k: i32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, f32(n));
  let s = pow2i(n + 64);
  let e = fma(t, s, s) * 0x1p-64f;
  let q = nl_rcp1p(e);
  let w = fma(t, q, q);
  let tail = (fma(-w, e * q, w) * s) * pow2i(k - 64);
  // Round the top, (1 - ((1 - e) / (1 + e))^2) / 4: the small square carries the errors.
  let u = (1.0f - e) * q;
  let top = pow2i(k - 2) * fma(-u, u, 1.0f);
  return select(select(tail, top, e > 0.3f), x, is_nan(x));
}

fn nl_sigmoid_grad(x: f32) -> f32 {
  return nl_exp_bell(x, 0);
}
