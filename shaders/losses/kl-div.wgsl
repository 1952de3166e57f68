//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
// t (log t - x), 0 where t is 0 and x finite; with log_target e^t (t - x).
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  if (p.log_target != 0u) {
    return nl_exp(expected) * (expected - input);
  }
  return select(expected * (nl_log(expected) - input), -expected * input, expected == 0.0);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  if (p.log_target != 0u) {
    let e = nl_exp(expected) * grad_output;
    return vec2f(-e, e * ((expected - input) + 1.0));
  }
  // As PyTorch has it, where the target is 0 or infinite.
  let open = (expected == 0.0) | is_inf(expected);
  let by_target = select((nl_log(expected) - input) + 1.0, nan(), open);
  return vec2f(-expected, by_target) * grad_output;
}
