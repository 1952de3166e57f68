//#include "lib/log.wgsl"
// x less the logarithm of the row's sum of e^x. `x` comes less the row's maximum.
fn logit_of(x: f32) -> f32 {
  return x;
}

fn divisor_of(row: Normaliser) -> f32 {
  return nl_log(row.sum);
}

fn forward(x: f32, divisor: f32) -> f32 {
  return x - divisor;
}

// g - e^y (sum of g over the row): what the sum adds up, and the gradient from it.
fn backward_term(y: f32, grad_output: f32) -> f32 {
  return grad_output;
}

fn backward(y: f32, grad_output: f32, total: f32) -> f32 {
  return grad_output - nl_exp(y) * total;
}
