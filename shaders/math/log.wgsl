//#include "lib/log.wgsl"
//#include "lib/div.wgsl"
// ln x.
fn forward(x: f32, p: Params) -> f32 {
  return nl_log(x);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return nl_divide(grad_output, x);
}
