//#include "lib/sqrt.wgsl"
// RMSprop, as torch.optim.RMSprop. The results are the weight, the mean square of the gradients, their mean (centered), and the
// momentum buffer. `rest` is 1 - alpha.
fn rmsprop(w: f32, grad: f32, square: f32, mean: f32, velocity: f32, p: Params) -> vec4f {
  let g = fma(p.weight_decay, w, select(grad, -grad, p.maximize != 0u));
  let s = fma(p.rest * g, g, p.alpha * square);
  // mean + rest (g - mean), without the difference, which may overflow.
  let m = select(0.0, fma(p.rest, g, fma(-p.rest, mean, mean)), p.centered != 0u);
  // A variance that rounding has made negative is 0.
  let left = fma(-m, m, s);
  let spread = select(left, 0.0, left < 0.0);
  let d = g / (nl_sqrt(spread) + p.eps);
  let v = fma(p.momentum, velocity, d);
  return vec4f(fma(-p.lr, v, w), s, m, v);
}
