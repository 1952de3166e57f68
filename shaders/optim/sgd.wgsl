// Stochastic gradient descent with momentum, as torch.optim.SGD. The results are the weight and the momentum buffer.
fn sgd(w: f32, grad: f32, velocity: f32, p: Params) -> vec2f {
  let g = fma(p.weight_decay, w, select(grad, -grad, p.maximize != 0u));
  let v = select(fma(p.momentum, velocity, p.undamped * g), g, p.first != 0u);
  let d = select(v, fma(p.momentum, v, g), p.nesterov != 0u);
  return vec2f(fma(-p.lr, d, w), v);
}
