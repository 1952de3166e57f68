//#include "lib/div.wgsl"
//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// ln(1 + e^(beta x)) / beta, x where beta x is above the threshold. The product is in two parts: the exponential would
// multiply its rounding by beta x.
fn low_of(x: f32, v: f32, p: Params) -> f32 {
  return select(-nl_remainder(v, p.beta, x), 0.0, abs(v) > 110.0);
}

fn forward(x: f32, p: Params) -> f32 {
  let v = p.beta * x;
  let low = low_of(x, v, p);
  let a = nl_exp_neg_arg(v);
  let n = nl_exp_n(a);
  let t = nl_exp_t_low(a, select(-low, low, v < 0.0), n);
  let h = half_of(n);
  let s1 = pow2i(h);
  let s2 = pow2i(n - h);
  let y = nl_quotient(nl_softplus_of(v, low, ((1.0 + t) * s1) * s2), p.beta);
  // In the tail e^v / beta, which may be normal where e^v is not.
  let r = 1.0 / p.beta;
  return select(select(y, (fma(t, r, r) * s1) * s2, v < -18.0), x, v > p.threshold);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = p.beta * x;
  let slope = nl_sigmoid_times(grad_output, v, low_of(x, v, p));
  return select(slope, grad_output, v > p.threshold);
}
