//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
// e^x - t x; without `log_input`, x - t log(x + eps). With `full` and t > 1, Stirling's approximation t log t - t +
// log(2 pi t) / 2 is added.
//
// `log_plus` is log(x + eps), corrected for the rounding of x + eps. Near x = 1 the logarithm is as small as the
// rounding error, and a large target multiplies it.
fn log_plus(x: f32, eps: f32) -> f32 {
  // The last bit of the sum is cleared, so that compilers cannot simplify the rounding error below to 0.
  let sum = bitcast<f32>(bitcast<u32>(x + eps) & 0xfffffffeu);
  let low = select(x - (sum - eps), eps - (sum - x), x >= eps) / sum;
  let y = nl_log(sum);
  return select(y, y + low, abs(low) < 0x1p-20f);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  var rate = nl_exp(input);
  var log_rate = input;
  if (p.log_input == 0u) {
    rate = input;
    log_rate = log_plus(input, p.eps);
  }
  let base = rate - expected * log_rate;
  if ((p.full == 0u) | (expected <= 1.0)) {
    return base;
  }
  return base + (((expected + 0.5) * nl_log(expected) - expected) + 0.918938533f);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  // The upstream gradient is multiplied first, because it may keep e^x finite.
  var by_input = nl_exp_times(grad_output, input, 0.0) - expected * grad_output;
  var by_target = -input;
  if (p.log_input == 0u) {
    by_input = (1.0 - nl_divide(expected, input + p.eps)) * grad_output;
    by_target = -log_plus(input, p.eps);
  }
  if ((p.full != 0u) & !(expected <= 1.0)) {
    by_target += nl_log(expected) + nl_divide(0.5, expected);
  }
  // PyTorch masks the result, not the logarithm. Its gradient with respect to the target is therefore NaN for targets
  // that are 0, negative or infinite.
  let open = (p.full != 0u) & ((expected <= 0.0) | is_inf(expected));
  return vec2f(by_input, select(by_target, nan(), open) * grad_output);
}
