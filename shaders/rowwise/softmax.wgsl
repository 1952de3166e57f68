// requires: Normaliser, infinity
// e^x over the row's sum of them.
const sum_excludes_max = false;
const from_exp = true;

fn logit_of(x: vec4f) -> vec4f {
  return x;
}

// What elements count as that are not there.
fn padding() -> f32 {
  return -infinity();
}

fn divisor_of(row: Normaliser) -> f32 {
  return row.sum;
}

fn forward(e: vec4f, row: Normaliser, divisor: f32) -> vec4f {
  return e / divisor;
}

// y (g - sum of y g over the row): what the sum adds up, and the gradient from it.
fn backward_term(y: vec4f, grad_output: vec4f) -> vec4f {
  return y * grad_output;
}

fn backward(y: vec4f, grad_output: vec4f, total: f32) -> vec4f {
  return y * (grad_output - total);
}
