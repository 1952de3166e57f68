//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
// x min(max(x + 3, 0), 6) / 6, which is 0 up to -3 and x from 3 on. At -Inf the result is NaN, because PyTorch
// computes 0 Inf there. The gradient is 0 at -3 and 1 at 3.
fn forward(x: f32, p: Params) -> f32 {
  return select(select(x * nl_sixth(x + 3.0), select(0.0, nan(), is_inf(x)), x <= -3.0), x, x >= 3.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  // The slope x / 3 + 1/2 as (2 x + 3) / 6, which is accurate near its zero.
  let slope = nl_sixth(fma(2.0, x, 3.0));
  return select(select(grad_output * slope, 0.0, x <= -3.0), grad_output, x >= 3.0);
}
