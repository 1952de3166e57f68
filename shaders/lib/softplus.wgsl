//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
// nl_softplus(x) = ln(1 + e^x): at most 2 ULP (measured: 1.77). For very negative x it is e^x, until that underflows; from 17
// on it is x. NaN stays NaN. ln(sigmoid(x)) is -nl_softplus(-x).
fn nl_softplus(x: f32) -> f32 {
  return nl_softplus_low(x, 0.0);
}

// ln(1 + e^(x + low)), where x is a rounded product and low its rounding error.
fn nl_softplus_low(x: f32, low: f32) -> f32 {
  let a = nl_exp_neg_arg(x);
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(a, select(-low, low, x < 0.0), f32(n));
  let tail = nl_log1p_unit(nl_exp_join(t, n));
  return select(tail, x + (low + tail), x > 0.0);
}

// ln(1 + e) for e in [0, 1]. As nl_log1p, where 1 + e = 2^k (1 + f) and k is 0 or 1.
fn nl_log1p_unit(e: f32) -> f32 {
  let upper = e > 0x1.555554p-2f;
  let f = select(e, fma(e, 0.5, -0.5), upper);
  return nl_log_sum(f, select(0.0, 1.0, upper));
}
