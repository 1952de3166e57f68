//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/log.wgsl"
// (log v + (x - t)^2 / v) / 2 with v = max(variance, eps), and log(2 pi) / 2 more with `full`. The gradient is
// computed as if there were no maximum. A negative variance gives NaN.
fn clamped(variance: f32, p: Params) -> f32 {
  return select(select(variance, p.eps, variance < p.eps), nan(), variance < 0.0);
}

fn loss(input: f32, expected: f32, variance: f32, p: Params) -> f32 {
  let v = clamped(variance, p);
  let d = input - expected;
  return 0.5 * (nl_log(v) + d * nl_divide(d, v)) + select(0.0, 0.918938533f, p.full != 0u);
}

fn loss_grad(input: f32, expected: f32, variance: f32, grad_output: f32, p: Params) -> vec3f {
  let v = clamped(variance, p);
  let d = input - expected;
  // The upstream gradient is multiplied first, because it may keep the quotient finite.
  let g = nl_divide(d * grad_output, v);
  return vec3f(g, -g, nl_divide(0.5 * fma(-d, nl_divide(d, v), 1.0) * grad_output, v));
}
