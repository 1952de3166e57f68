//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
//#include "lib/log1p.wgsl"
// beta P (t - log M) + (1 - beta) Q (x - log M) with P = e^t, Q = e^x and M = beta P + (1 - beta) Q. From d = t - x,
// t - log M = -log1p((1 - beta) (e^-d - 1)) and x - log M is d less: exact for near distributions, safe for far ones.
// A term whose P or Q is not above 0 is 0.

// t - log M and x - log M, for beta between 0 and 1.
fn gaps(x: f32, t: f32, beta: f32) -> vec2f {
  let d = t - x;
  let up = d >= 0.0;
  let near = -nl_log1p(select(beta, 1.0 - beta, up) * nl_expm1(-abs(d)));
  return select(vec2f(near + d, near), vec2f(near, near - d), up);
}

fn term(weight: f32, gap: f32) -> f32 {
  return select(0.0, weight * gap, weight > 0.0);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let g = gaps(input, expected, p.beta);
  let by_p = nl_exp(expected);
  let by_q = nl_exp(input);
  if (p.beta == 0.0) {
    return term(by_p, expected - input);
  }
  if (p.beta == 1.0) {
    return term(by_q, input - expected);
  }
  return term(p.beta * by_p, g.x) + term((1.0 - p.beta) * by_q, g.y);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let g = gaps(input, expected, p.beta);
  let by_p = nl_exp(expected);
  let by_q = nl_exp(input);
  if (p.beta == 0.0) {
    return vec2f(-by_p, term(by_p, (expected - input) + 1.0)) * grad_output;
  }
  if (p.beta == 1.0) {
    return vec2f(term(by_q, (input - expected) + 1.0), -by_q) * grad_output;
  }
  return vec2f(term((1.0 - p.beta) * by_q, g.y), term(p.beta * by_p, g.x)) * grad_output;
}
