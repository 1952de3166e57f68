//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/log.wgsl"
//#include "lib/log1p.wgsl"
// (log(1 + x) - log(1 + t))^2 with x and t at least 0. The difference of the logarithms is log(1 + (x - t) / (1 + t)) for
// x >= t, and the negative of this the other way round, so that no digits are lost where they are almost equal.
fn least_zero(v: f32) -> f32 {
  return select(v, 0.0, v < 0.0);
}

fn apart(x: f32, t: f32) -> f32 {
  let low = select(t, x, x < t);
  return nl_log1p(nl_divide(abs(x - t), 1.0 + low));
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let l = apart(least_zero(input), least_zero(expected));
  return l * l;
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> f32 {
  let x = least_zero(input);
  let t = least_zero(expected);
  let l = select(apart(x, t), -apart(x, t), x < t);
  // As of a clamp, it is 0 below 0 and for NaN.
  return select(nl_divide(2.0 * l, 1.0 + x) * grad_output, 0.0, (input < 0.0) | is_nan(input));
}
