//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log1p.wgsl"
// nl_softplus(x) = ln(1 + e^x): at most 2 ULP (measured: 1.77); e^x in the left tail down to
// underflow, x from 17 on. ln(sigmoid(x)) is -nl_softplus(-x). NaN stays.
fn nl_softplus(x: f32) -> f32 {
  return nl_softplus_low(x, 0.0);
}

// ln(1 + e^(x + low)), for the tiny rest of a product that x was rounded to.
fn nl_softplus_low(x: f32, low: f32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(a, select(-low, low, x < 0.0), n);
  let e = scale2(1.0 + t, n);
  let tail = nl_log1p(e);
  return select(tail, x + (low + tail), x > 0.0);
}
