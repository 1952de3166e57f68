//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// x tanh(ln(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2); by e = e^-|x|, which never overflows:
// x e (e + 2) / d below 0, d = 2 + 2e + e^2; x (1 + 2e) / d above, d = 1 + 2e + 2e^2. NaN at -Inf, PyTorch's -Inf 0.
fn forward(x: f32, p: Params) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, n);
  let e = scale2(1.0 + t, n);
  let r = nl_quotient(e + 2.0, fma(e, e + 2.0, 2.0));
  let s1 = pow2i(n >> 1u);
  let tail = ((fma(t, r, r) * s1) * a) * pow2i(n - (n >> 1u));
  // 1 - 2e^2 / d: the rounding of the quotient counts little.
  let top = x * fma(-2.0 * e, nl_quotient(e, fma(2.0 * e, e + 1.0, 1.0)), 1.0);
  return select(select(top, tail, x < 0.0), nan(), is_nan(x) | (is_inf(x) & (x < 0.0)));
}

// Its derivative w / d^2: below 0 w = e (4 (x + 1) + e (4x + 6 + e (4 + e))), above
// w = 1 + e (4 + e (4x + 6 + 4e (x + 1))).
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, n);
  let e = scale2(1.0 + t, n);
  let inner = fma(e, fma(e, 4.0 + e, fma(4.0, a, 6.0)), 4.0 * (a + 1.0));
  let d = fma(e, e + 2.0, 2.0);
  let r = nl_quotient(1.0, d);
  let s1 = pow2i(n >> 1u);
  let tail = ((((1.0 + t) * s1) * (inner * r)) * r) * pow2i(n - (n >> 1u));
  let w = fma(e, fma(e, fma(4.0 * e, 1.0 - a, fma(-4.0, a, 6.0)), 4.0), 1.0);
  let dt = fma(2.0 * e, e + 1.0, 1.0);
  let top = nl_quotient(w, dt * dt);
  return grad_output * select(select(top, tail, x < 0.0), x, is_nan(x));
}
