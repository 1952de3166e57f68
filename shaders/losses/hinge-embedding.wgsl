// x for target 1, max(0, margin - x) for target -1, and the sum of both for any other target. Where x equals the
// margin, the gradient is that of margin - x.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let m = p.margin - input;
  return select(select(m, 0.0, m < 0.0), 0.0, expected == 1.0) + select(input, 0.0, expected == -1.0);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> f32 {
  let apart = (p.margin - input >= 0.0) & !(expected == 1.0);
  return select(grad_output, 0.0, expected == -1.0) - select(0.0, grad_output, apart);
}
