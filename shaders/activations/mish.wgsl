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
  let d = fma(e, e + 2.0, 2.0);
  // (e + 2) / d, whose rounding then counts little.
  let r = fma(-e, (e + 1.0) / d, 1.0);
  let h = half_of(n);
  let s1 = pow2i(h);
  let tail = ((fma(t, r, r) * s1) * a) * pow2i(n - h);
  // 1 - 2e^2 / d: the rounding of the quotient counts little.
  let top = fma(2.0 * e * a, nl_quotient(e, fma(2.0 * e, e + 1.0, 1.0)), x);
  // From -0.7 to 0 a polynomial (own fit): the quotient has no bits to spare.
  let v = x + 0.3125;
  var c = fma(v, 0x1.15b3e8p-11f, 0x1.6bad8cp-9f);
  c = fma(c, v, 0x1.125f36p-8f);
  c = fma(c, v, -0x1.50d50cp-7f);
  c = fma(c, v, -0x1.3c9c0ap-5f);
  c = fma(c, v, 0x1.92e2dap-6f);
  c = fma(c, v, 0x1.4490aap-2f);
  c = fma(c, v, 0x1.ffce96p-2f);
  let y = select(top, select(tail, x * c, x > -0.7), x < 0.0);
  // tanh(ln 2) = 0.6; the differences above underflow.
  return select(select(y, 0.6 * x, abs(x) < 0x1p-60f), nan(), is_nan(x) | (is_inf(x) & (x < 0.0)));
}

// Its derivative w / d^2: below 0 w = e (4 (x + 1) + e (4x + 6 + e (4 + e))), d = 2 + 2e + e^2; above
// 1 + e^2 (4x - 2 + 4e (x - 1 - e)) / d^2, d = 1 + 2e + 2e^2, whose second term is small. NaN at +-Inf, as PyTorch's Inf 0.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t(a, n);
  let e = scale2(1.0 + t, n);
  let inner = fma(e, fma(e, 4.0 + e, fma(4.0, a, 6.0)), fma(4.0, a, 4.0));
  // d / 2 and the rest that its rounding leaves, as it counts twice.
  let d = nl_one_plus(fma(0.5 * e, e, e));
  let y = 0.25 * inner * nl_quotient(1.0, d.sum * d.sum);
  let z = fma(y, -2.0 * d.rest / d.sum, y);
  let h = half_of(n);
  let s1 = pow2i(h);
  let tail = (fma(t, z, z) * s1) * pow2i(n - h);
  let dt = fma(2.0 * e, e + 1.0, 1.0);
  let u = nl_quotient(e, dt);
  let past = fma(u * u, fma(4.0 * e, (-1.0 - e) - a, fma(-4.0, a, -2.0)), 1.0);
  // Nearer 0 it is not: tanh + x sigmoid(x) sech^2.
  let th = fma(-2.0 * e, u, 1.0);
  let top = select(past, fma(x * nl_rcp1p(e), fma(-th, th, 1.0), th), e > 0.3);
  let v = x + 0.3125;
  var c = fma(v, 0x1.7fb206p-10f, 0x1.1e4e38p-6f);
  c = fma(c, v, 0x1.51d24cp-6f);
  c = fma(c, v, -0x1.d99734p-5f);
  c = fma(c, v, -0x1.2268d6p-3f);
  c = fma(c, v, 0x1.c28eap-4f);
  c = fma(c, v, 0x1.3cb264p-1f);
  c = fma(c, v, 0x1.9a6162p-2f);
  let slope = select(top, select(tail, c, x > -0.7), x < 0.0);
  return select(grad_output * slope, nan(), is_inf(x) | is_nan(x));
}
