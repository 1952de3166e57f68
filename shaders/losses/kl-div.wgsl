//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
// t (log t - x), 0 where t is 0 and x finite; with log_target e^t (t - x).
// e^t d, d taken in before the tail underflows; NaN for an infinite d where float64 has no e^t, as at -Inf in PyTorch.
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
    // The upstream gradient goes in first where e^t grows what it multiplies, last where e^t shrinks it.
    let first = select(1.0, grad_output, expected > 0.0);
    let last = select(grad_output, 1.0, expected > 0.0);
    let by_target = share(expected, ((expected - input) + 1.0) * first);
    return vec2f(-nl_exp_times(first, expected, 0.0), by_target) * last;
  }
  // As PyTorch has it, where the target is 0 or infinite.
  let open = (expected == 0.0) | is_inf(expected);
  let by_target = select((nl_log(expected) - input) + 1.0, nan(), open);
  return vec2f(-expected, by_target) * grad_output;
}
