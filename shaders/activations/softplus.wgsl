//#include "lib/div.wgsl"
//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// requires: unit_beta
// ln(1 + e^(beta x)) / beta, but x where beta x is above the threshold. The product beta x is computed as a rounded
// value and its rounding error, because the exponential would amplify that error by a factor of |beta x|.
fn low_of(x: f32, v: f32, p: Params) -> f32 {
  if (unit_beta == 1u) {
    return 0.0;
  }
  return select(-nl_remainder(v, p.beta, x), 0.0, abs(v) > 110.0);
}

// With e = e^-|beta x| the result is x + ln(1 + e) / beta where beta x is above 0, else ln(1 + e) / beta.
fn forward(x: f32, p: Params) -> f32 {
  let v = select(p.beta, 1.0, unit_beta == 1u) * x;
  let a = abs(v);
  let big = a > 104.5;
  var low = 0.0;
  if (unit_beta == 0u) {
    low = select(nl_remainder(a, abs(p.beta), abs(x)), 0.0, big);
  }
  let arg = select(-a, -104.5, big);
  let n = nl_exp_n(arg);
  let t = nl_exp_t_low(arg, low, f32(n));
  let rest = nl_log1p_unit(nl_exp_join(t, n));
  var y = rest;
  if (unit_beta == 0u) {
    // 1 / beta, corrected by one Newton step, because WGSL allows a division an error of 2.5 ULP.
    let q = 1.0 / p.beta;
    let r = fma(fma(-q, p.beta, 1.0), q, q);
    // In the tail the result is e^v / beta, which may be a normal number even where e^v underflows.
    y = select(rest * r, (fma(t, r, r) * pow2i(n + 64)) * 0x1p-64f, v < -18.0);
  }
  return select(select(y, x + y, v > 0.0), x, v > p.threshold);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = p.beta * x;
  let slope = nl_sigmoid_times(grad_output, v, low_of(x, v, p));
  return select(slope, grad_output, v > p.threshold);
}
