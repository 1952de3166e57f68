// x above 0, else weight * x, where the weight is learned per channel. The gradient at 0 is that of the negative
// side.
fn forward(x: f32, weight: f32, p: Params) -> f32 {
  return select(weight * x, x, x > 0.0);
}

// The gradients with respect to x and to the weight.
fn backward(x: f32, weight: f32, grad_output: f32, p: Params) -> vec2f {
  let positive = x > 0.0;
  return vec2f(
    select(weight * grad_output, grad_output, positive),
    select(x * grad_output, 0.0, positive),
  );
}
