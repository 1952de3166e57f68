// e^-x over the row's sum of them: softmax of -x.
fn logit_of(x: f32) -> f32 {
  return -x;
}

fn divisor_of(row: Normaliser) -> f32 {
  return row.sum;
}

fn forward(x: f32, divisor: f32) -> f32 {
  return nl_exp(x) / divisor;
}

// -y (g - sum of y g over the row): what the sum adds up, and the gradient from it.
fn backward_term(y: f32, grad_output: f32) -> f32 {
  return y * grad_output;
}

fn backward(y: f32, grad_output: f32, total: f32) -> f32 {
  return y * (total - grad_output);
}
