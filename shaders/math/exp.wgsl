//#include "lib/exp.wgsl"
// e^x.
fn forward(x: f32, p: Params) -> f32 {
  return nl_exp(x);
}

// e^x may be infinite where its product with the upstream gradient is not: above 88, 2^128 is taken out of it, in two parts
// as in nl_exp_t, and half of that is put into the gradient.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let large = x > 88.0;
  let y = nl_exp_times(
    select(grad_output, grad_output * 0x1p64, large),
    select(x, x - 0x1.62e4p+6, large),
    select(0.0, -0x1.7f7d1cp-13, large),
  );
  return select(y, y * 0x1p64, large);
}
