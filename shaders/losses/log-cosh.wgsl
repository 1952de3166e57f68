//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
//#include "lib/tanh.wgsl"
// log(cosh(d)) with d = input - expected. Up to |d| = 1 it is d^2 P(d^2) with a minimax polynomial P of degree 6 (own fit),
// which keeps the digits of small results. Beyond it is |d| + log((1 + e^-2|d|) / 2), where no exponential overflows, and log 2
// is taken away in two parts. e is at most 1/3 there, but compilers that knew it would add both parts to one float.
fn far(d: f32) -> f32 {
  let a = nl_exp_neg_arg(2.0 * d);
  let n = nl_exp_n(a);
  let e = nl_exp_join(nl_exp_t(a, f32(n)), n);
  let upper = e > 0x1.555554p-2f;
  return d + nl_log_sum(select(e, fma(e, 0.5, -0.5), upper), select(-1.0, 0.0, upper));
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let d = abs(input - expected);
  let z = d * d;
  var q = fma(z, 0x1.6b1a60p-14f, -0x1.239f2ap-11f);
  q = fma(q, z, 0x1.104826p-9f);
  q = fma(q, z, -0x1.b7c674p-8f);
  q = fma(q, z, 0x1.6bff12p-6f);
  q = fma(q, z, -0x1.5554fap-4f);
  q = fma(q, z, 0.5f);
  return select(far(d), z * q, d < 1.0);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let g = nl_tanh(input - expected) * grad_output;
  return vec2f(g, -g);
}
