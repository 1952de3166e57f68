//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
//#include "lib/pow.wgsl"
// -(1 - e^l)^gamma l, where l is the log-probability of the class.
fn class_loss(l: f32, p: Params) -> f32 {
  return -nl_pow(-nl_expm1(l), p.gamma) * l;
}

fn class_loss_grad(l: f32, p: Params) -> f32 {
  let rest = -nl_expm1(l);
  // The limit of this term is 0 where 1 - e^l or gamma is 0, although (1 - e^l)^(gamma - 1) may be infinite there.
  let bend = select(p.gamma * nl_pow(rest, p.gamma - 1.0) * nl_exp(l) * l, 0.0, p.gamma == 0.0 || rest == 0.0);
  return bend - nl_pow(rest, p.gamma);
}
