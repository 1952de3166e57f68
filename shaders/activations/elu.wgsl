//#include "lib/expm1.wgsl"
// x above 0, else alpha (e^x - 1). The gradient at 0 is that of the negative side.
fn forward(x: f32, p: Params) -> f32 {
  return select(p.alpha * nl_expm1(x), x, x > 0.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(grad_output * nl_exp_times(p.alpha, x, 0.0), grad_output, x > 0.0);
}
