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
  let y = nl_quotient(nl_softplus_low(v, low), p.beta);
  // In the tail e^v / beta, which may be normal where e^v is not.
  return select(select(y, nl_exp_times(1.0 / p.beta, v, low), v < -18.0), x, v > p.threshold);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = p.beta * x;
  let slope = nl_sigmoid_times(grad_output, v, low_of(x, v, p));
  return select(slope, grad_output, v > p.threshold);
}
