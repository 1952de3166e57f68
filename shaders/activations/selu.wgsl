//#include "lib/expm1.wgsl"
// scale x above 0, else scale alpha (e^x - 1). The gradient at 0 is that of the negative side.
const scale = 1.0507009873554804934f;
const scale_alpha = 1.7580993408473768599f;

fn forward(x: f32, p: Params) -> f32 {
  return select(scale_alpha * nl_expm1(x), scale * x, x > 0.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return grad_output * select(nl_exp_times(scale_alpha, x, 0.0), scale, x > 0.0);
}
