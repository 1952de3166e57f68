//#include "lib/expm1.wgsl"
// requires: unit_alpha, unit_gamma
// gamma x above 0, else gamma alpha (e^x - 1). The gradient at 0 is that of the negative side.
//
// The default options, PyTorch's constants, are rounded once; so is the product of others.
fn gamma_of(p: Params) -> f32 {
  return select(p.gamma, 1.0507009873554804934f, unit_gamma == 1u);
}

fn gamma_alpha_of(p: Params) -> f32 {
  let product = fma(p.gamma, p.alpha, fma(p.gamma, p.alpha_low, p.gamma_low * p.alpha));
  return select(product, 1.7580993408473768599f, (unit_alpha == 1u) & (unit_gamma == 1u));
}

fn forward(x: f32, p: Params) -> f32 {
  return select(gamma_alpha_of(p) * nl_expm1(x), gamma_of(p) * x, x > 0.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return grad_output * select(nl_exp_times(gamma_alpha_of(p), x, 0.0), gamma_of(p), x > 0.0);
}
