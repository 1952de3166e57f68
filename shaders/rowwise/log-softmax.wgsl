// requires: Normaliser, anchor_of, anchored_exp, infinity, log_sum_of
// x less the logarithm of the row's sum of e^x. Neither x - max nor the logarithm of the sum of e^(x - max), at least 1,
// changes the sign of the difference: nothing cancels.
const sum_excludes_max = true;
const from_exp = false;

fn logit_of(x: vec4f) -> vec4f {
  return x;
}

// What elements count as that are not there.
fn padding() -> f32 {
  return -infinity();
}

fn divisor_of(row: Normaliser) -> f32 {
  return log_sum_of(row);
}

fn forward(x: vec4f, row: Normaliser, log_sum: f32) -> vec4f {
  return (x - row.max) - log_sum;
}

// g - e^y (sum of g over the row): what the sum adds up, and the gradient from it.
fn backward_term(y: vec4f, grad_output: vec4f) -> vec4f {
  return grad_output;
}

fn backward(y: vec4f, grad_output: vec4f, total: f32) -> vec4f {
  // No y is above 0: e^y on the scale of e^0.
  return grad_output - anchored_exp(y, anchor_of(0.0)) * (total * 0x1p-30);
}
