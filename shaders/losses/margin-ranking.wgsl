// max(0, margin - t (x1 - x2)). Where the second argument is 0, the gradient is that of the second argument.
fn loss(input1: f32, input2: f32, expected: f32, p: Params) -> f32 {
  let m = p.margin - expected * (input1 - input2);
  return select(m, 0.0, m < 0.0);
}

fn loss_grad(input1: f32, input2: f32, expected: f32, grad_output: f32, p: Params) -> vec3f {
  let d = input1 - input2;
  // A device may flush a small difference to 0. If the margin is 0, the sign is therefore found by comparing the
  // inputs.
  let side = f32(input1 > input2) - f32(input1 < input2);
  let met = (p.margin == 0.0) & (expected * side > 0.0);
  let g = select(0.0, grad_output, (p.margin - expected * d >= 0.0) & !met);
  return vec3f(-expected * g, expected * g, -d * g);
}
