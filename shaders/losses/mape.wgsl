//#include "lib/div.wgsl"
// 100 |input - expected| / max(|expected|, eps). The difference is halved, because it may overflow where the quotient does
// not, and the quotient is taken before the factor.
fn size_of(expected: f32, p: Params) -> f32 {
  let a = abs(expected);
  return select(a, p.eps, a < p.eps);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  return 200.0 * nl_divide(abs(0.5 * input - 0.5 * expected), size_of(expected, p));
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> f32 {
  let side = f32(input > expected) - f32(input < expected);
  return side * 100.0 * nl_divide(grad_output, size_of(expected, p));
}
