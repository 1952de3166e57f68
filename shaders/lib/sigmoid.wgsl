//#include "lib/bell.wgsl"
//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// With e^-x = 2^-n (1 - t), the sigmoid is 2^n / (2^n + 1 - t). This form has one quotient for both signs of x, does not
// overflow, and keeps small results accurate.
//   nl_sigmoid(x) = 1 / (1 + e^-x): at most 1.5 ULP (measured: 1.38)
//   nl_sigmoid_grad(x) = sigmoid(x) (1 - sigmoid(x)) = e / (1 + e)^2: at most 2.5 ULP
//     (measured: 2.22)
//   nl_sigmoid_times, nl_gate_grad: used by silu, quickGelu and the tanh form of gelu, whose tests hold their bounds
// Results under 2^-126 may be flushed to 0.

struct Sigmoid {
  guess: f32, // nearly 2^64 times the sigmoid, so that it is never subnormal
  step: f32,  // by how much of itself the guess is too small
  rest: f32,  // 1 - sigmoid
}

// The sigmoid of a + low, for a in [-130, 30]. One Newton step improves the reciprocal. Its residual is computed from t, so
// that it corrects the rounding of 1 - t as well as the error of the division, for which WGSL allows 2.5 ULP.
fn nl_sigmoid_of(a: f32, low: f32) -> Sigmoid {
  let n = nl_exp_n(a);
  // As in nl_exp_t_low. The term of degree 6 is computed from hi + low, because low may be as large as a / 2048.
  let hi = fma(f32(n), -0x1.62e4p-1f, a);
  let t = nl_exp_drop(hi + fma(f32(n), -0x1.7f7d1cp-20f, low), hi + low);
  let s = pow2i(n + 64);
  let r = 1.0f / fma(s, 0x1p-64f, 1.0f - t);
  let y = s * r;
  let step = fma(t, r, fma(y, -0x1p-64f, 1.0f) - r);
  let q = fma(r, step, r);
  return Sigmoid(y, step, fma(-t, q, q));
}

// f 2^64 times the sigmoid. The sum stands between f and the 2^-64 that follows: of (y f) 2^-64 a compiler makes (y 2^-64) f,
// whose first factor may be subnormal.
fn nl_sigmoid_high(v: Sigmoid, f: f32) -> f32 {
  let y = v.guess * f;
  return fma(y, v.step, y);
}

// Beyond these limits the sigmoid is 1, or so small that its product with any number up to 10^7 is 0.
fn nl_sigmoid_arg(x: f32) -> f32 {
  return clamp_bits(x, -120.0, 30.0);
}

fn nl_sigmoid(x: f32) -> f32 {
  // What is computed for a NaN does not matter, because the select returns it unchanged.
  return select(nl_sigmoid_high(nl_sigmoid_of(nl_sigmoid_arg(x), 0.0), 1.0) * 0x1p-64f, x, is_nan(x));
}

// x sigmoid(v + low), where v has the sign of x and is (nearly) at least as large. For -Inf it is NaN, as in PyTorch, which
// multiplies -Inf by 0.
fn nl_gated(x: f32, v: f32, low: f32) -> f32 {
  return nl_gated_within(x, nl_sigmoid_arg(x), nl_sigmoid_arg(v), low, 30.0);
}

// The same for inputs that are limited already: v is in [-130, 30], and `within` is x limited to `end` above, and below to
// where the sigmoid is 0. Above `end` the sigmoid is 1.
fn nl_gated_within(x: f32, within: f32, v: f32, low: f32, end: f32) -> f32 {
  let near = nl_sigmoid_high(nl_sigmoid_of(v, low), within) * 0x1p-64f;
  // The bits are compared: those of a NaN are above those of +Inf or -Inf.
  let y = select(near, x, bitcast<i32>(x) > bitcast<i32>(end));
  return select(y, nan(), bitcast<u32>(x) >= 0xff800000u);
}

// f sigmoid(x + low). The factor f is applied before small sigmoids underflow.
fn nl_sigmoid_times(f: f32, x: f32, low: f32) -> f32 {
  // The product of f with 2^64 times the sigmoid stays in range only if the sigmoid is small.
  let tiny = x < -60.0;
  let y = nl_sigmoid_high(nl_sigmoid_of(nl_sigmoid_arg(x), low), 1.0);
  let product = ((y * select(0x1p-64f, 1.0, tiny)) * f) * select(1.0, 0x1p-64f, tiny);
  // Where e^x is 0, the result is 0, however large f is.
  return select(select(product, 0.0, x < -104.5), x, is_nan(x));
}

// The same from e^-|x|, as in nl_softplus_low(x, low). A kernel that uses both computes the exponential once.
fn nl_sigmoid_beside(f: f32, x: f32, low: f32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(a, select(-low, low, x < 0.0), f32(n));
  let q = nl_rcp1p(nl_exp_join(t, n));
  // 2^n is applied as two factors, because n may be as small as -151, and f between them.
  let h = half_of(n);
  let tail = ((fma(t, q, q) * pow2i(h)) * f) * pow2i(n - h);
  return select(select(q * f, select(tail, 0.0, x < -104.5), x < 0.0), x, is_nan(x));
}

// The derivative of z sigmoid(v) with respect to z at v = x + low: sigmoid(v) (1 + s (1 - sigmoid(v))), where s = z dv/dz is
// given as s + s_low, because its rounding error would count too. |s| may be up to 1000. For a NaN the result is any number.
fn nl_gate_grad(x: f32, low: f32, s: f32, s_low: f32) -> f32 {
  let v = nl_sigmoid_of(nl_sigmoid_arg(x), low);
  let slope = s + s_low;
  // For x < 0 the sum 1 + s may cancel, and the sigmoid is small. For x > 0 the rest, 1 - sigmoid, is small.
  let factor = select(fma(slope, v.rest, 1.0), (1.0 + s) + fma(nl_sigmoid_high(v, slope), -0x1p-64f, s_low), x < 0.0);
  return nl_sigmoid_high(v, factor) * 0x1p-64f;
}

fn nl_sigmoid_grad(x: f32) -> f32 {
  return nl_exp_bell(x, 0);
}
