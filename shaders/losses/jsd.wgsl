//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
//#include "lib/log1p.wgsl"
// beta P (t - log M) + (1 - beta) Q (x - log M) with P = e^t, Q = e^x and M = beta P + (1 - beta) Q. With d = t - x,
// t - log M is -log1p((1 - beta) (e^-d - 1)), and x - log M is that minus d. This form is accurate for distributions
// that are almost equal and does not overflow for very different ones. A term is 0 where its P or Q is not above 0.

// t - log M and x - log M, for beta between 0 and 1.
fn gaps(x: f32, t: f32, beta: f32) -> vec2f {
  let d = t - x;
  let up = d >= 0.0;
  let near = -nl_log1p(select(beta, 1.0 - beta, up) * nl_expm1(-abs(d)));
  return select(vec2f(near + d, near), vec2f(near, near - d), up);
}

// e^x gap, multiplied before e^x underflows. The result is 0 where e^x is 0 in float64 as well.
fn term(x: f32, gap: f32) -> f32 {
  return select(0.0, nl_exp_times(gap, x, 0.0), x >= -745.1f);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  if (p.beta == 0.0) {
    return term(expected, expected - input);
  }
  if (p.beta == 1.0) {
    return term(input, input - expected);
  }
  let g = gaps(input, expected, p.beta);
  return term(expected, p.beta * g.x) + term(input, (1.0 - p.beta) * g.y);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  if (p.beta == 0.0) {
    return vec2f(-nl_exp(expected), term(expected, (expected - input) + 1.0)) * grad_output;
  }
  if (p.beta == 1.0) {
    return vec2f(term(input, (input - expected) + 1.0), -nl_exp(input)) * grad_output;
  }
  let g = gaps(input, expected, p.beta);
  return vec2f(term(input, (1.0 - p.beta) * g.y), term(expected, p.beta * g.x)) * grad_output;
}
