//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sqrt.wgsl"
// sqrt(d^2 + eps^2) with d = input - expected, as m sqrt(1 + (n / m)^2) where m is the larger of |d| and eps and n the
// smaller: no square overflows or underflows.
fn root_of(d: f32, eps: f32) -> vec2f {
  let a = abs(d);
  let m = select(a, eps, a < eps);
  let q = nl_divide(select(eps, a, a < eps), m);
  // An infinite d leaves eps / d = 0.
  return vec2f(m, nl_sqrt(fma(q, q, 1.0)));
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let r = root_of(input - expected, p.eps);
  return r.x * r.y;
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let r = root_of(d, p.eps);
  // d / m is 1 or -1 where |d| is the larger.
  let share = select(sign(d), nl_divide(d, p.eps), abs(d) < p.eps);
  let g = select(nl_divide(share, r.y), d, is_nan(d)) * grad_output;
  return vec2f(g, -g);
}
