//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/log.wgsl"
//#include "lib/log1p.wgsl"
// -w (t log x + (1 - t) log(1 - x)), where both logarithms are clamped to -100 or more. The result is NaN if x or t
// is outside of [0, 1].
fn outside(x: f32, t: f32) -> bool {
  return !((x >= 0.0) & (x <= 1.0) & (t >= 0.0) & (t <= 1.0));
}

fn loss(input: f32, expected: f32, weight: f32, p: Params) -> f32 {
  let yes = nl_log(input);
  let no = nl_log1p(-input);
  let sum = expected * select(yes, -100.0, yes < -100.0) + (1.0 - expected) * select(no, -100.0, no < -100.0);
  return select(-weight * sum, nan(), outside(input, expected));
}

fn loss_grad(input: f32, expected: f32, weight: f32, grad_output: f32, p: Params) -> vec2f {
  let g = weight * grad_output;
  let spread = input * (1.0 - input);
  let by_input = nl_divide(input - expected, select(spread, 1e-12, spread < 1e-12)) * g;
  // The gradient with respect to t is log((1 - x) / x), without the clamp. It is 0 at x = 1/2; near there it is
  // computed from 1 - 2 x, which is exact.
  let middle = nl_log1p(nl_divide(1.0 - 2.0 * input, input));
  let odds = select(nl_log1p(-input) - nl_log(input), middle, (input > 0.3) & (input < 0.7));
  return select(vec2f(by_input, odds * g), vec2f(nan()), outside(input, expected));
}
