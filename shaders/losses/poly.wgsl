//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
// -l + epsilon (1 - e^l), where l is the log-probability of the class.
fn class_loss(l: f32, p: Params) -> f32 {
  return -l - p.epsilon * nl_expm1(l);
}

fn class_loss_grad(l: f32, p: Params) -> f32 {
  // The second form keeps its digits where e^l is almost 1 and epsilon is almost -1, the first where e^l is small.
  return select(-1.0 - p.epsilon * nl_exp(l), (-1.0 - p.epsilon) - p.epsilon * nl_expm1(l), l > -0.5);
}
