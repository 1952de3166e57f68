// Adam and AdamW, as torch.optim.Adam and torch.optim.AdamW. The results are the weight, the first and second
// moments, and the largest second moment so far (amsgrad). `rest1` and `rest2` are 1 - beta1 and 1 - beta2; `step`
// and `root2` contain the bias corrections.
fn adam(w: f32, grad: f32, moment1: f32, moment2: f32, largest2: f32, p: Params) -> vec4f {
  let g = fma(p.weight_decay, w, select(grad, -grad, p.maximize != 0u));
  // moment1 + rest1 (g - moment1), without the difference, which may overflow.
  let m = fma(p.rest1, g, fma(-p.rest1, moment1, moment1));
  let v = fma(p.rest2 * g, g, p.beta2 * moment2);
  let most = select(largest2, v, v > largest2);
  let denominator = sqrt(select(v, most, p.amsgrad != 0u)) / p.root2 + p.eps;
  // AdamW multiplies the weight by `shrink` instead of adding weight decay to the gradient.
  return vec4f(fma(-p.step, m / denominator, w * p.shrink), m, v, most);
}
