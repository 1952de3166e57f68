//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
// (1 - e^(q l)) / q, where l is the log-probability of the class.
fn class_loss(l: f32, p: Params) -> f32 {
  return nl_divide(-nl_expm1(p.q * l), p.q);
}

fn class_loss_grad(l: f32, p: Params) -> f32 {
  return -nl_exp(p.q * l);
}
