// requires: Normaliser, infinity, is_inf
// As softmax, but a row of nothing but -Inf, which attends to nothing, gives 0.
const sum_excludes_max = false;
const from_exp = true;

fn logit_of(x: vec4f) -> vec4f {
  return x;
}

// What elements count as that are not there.
fn padding() -> f32 {
  return -infinity();
}

// The exponentials of such a row are 0, and its sum is NaN.
fn divisor_of(row: Normaliser) -> f32 {
  return select(row.sum, 1.0, is_inf(row.max) & (row.max < 0.0));
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
