//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
// t (log t - x), which is 0 where t is 0 and x is finite; with `log_target`, e^t (t - x).
//
// `share` is e^t d, multiplied before e^t underflows. Where e^t is 0 in float64 and d is infinite it is NaN, as in
// PyTorch.
fn share(t: f32, d: f32) -> f32 {
  return select(nan(), nl_exp_times(d, t, 0.0), (t >= -745.1f) | !is_inf(d));
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  if (p.log_target != 0u) {
    return share(expected, expected - input);
  }
  return select(expected * (nl_log(expected) - input), -expected * input, expected == 0.0);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  if (p.log_target != 0u) {
    // The upstream gradient is multiplied first where e^t is above 1 and last where it is not, so that no
    // intermediate product overflows without need.
    let first = select(1.0, grad_output, expected > 0.0);
    let last = select(grad_output, 1.0, expected > 0.0);
    let by_target = share(expected, ((expected - input) + 1.0) * first);
    return vec2f(-nl_exp_times(first, expected, 0.0), by_target) * last;
  }
  // As in PyTorch, the gradient with respect to the target is NaN where the target is 0 or infinite.
  let open = (expected == 0.0) | is_inf(expected);
  let by_target = select((nl_log(expected) - input) + 1.0, nan(), open);
  return vec2f(-expected, by_target) * grad_output;
}
