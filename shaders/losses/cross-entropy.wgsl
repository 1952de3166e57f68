// -l, where l is the log-probability of the class.
fn class_loss(l: f32, p: Params) -> f32 {
  return -l;
}

fn class_loss_grad(l: f32, p: Params) -> f32 {
  return -1.0;
}
