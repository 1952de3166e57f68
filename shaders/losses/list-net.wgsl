// The cross-entropy of an item: its relevance times the logarithm of its share of the list, which is negative.
fn term(log_q: f32, expected: f32, p: Params) -> f32 {
  return -expected * log_q;
}

fn term_grad(log_q: f32, expected: f32, grad_output: f32, p: Params) -> f32 {
  return -expected * grad_output;
}
