//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/log.wgsl"
//#include "lib/log1p.wgsl"
//#include "lib/pow.wgsl"
//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// -(y log max(p, eps) + (1 - y) log max(n, eps)) m^gamma with p = sigmoid(x), n = min(1 - p + clip, 1), m = y (1 - p) +
// (1 - y) (1 - n), and gamma = gamma_pos y + gamma_neg (1 - y). 1 - n is max(p - clip, 0). log_eps is log(eps).
struct Parts {
  yes: f32,   // p
  no: f32,    // 1 - p
  log_yes: f32,
  log_no: f32,
  away: f32,  // 1 - n
  miss: f32,  // m
  hard: f32,  // m^gamma
  gamma: f32,
}

fn parts_of(x: f32, y: f32, p: Params) -> Parts {
  let yes = nl_sigmoid(x);
  let no = nl_sigmoid(-x);
  let over = yes - p.clip;
  let away = select(over, 0.0, over < 0.0);
  // Near 1, n is computed from what it is short of 1; without a clip from 1 - p, which keeps the digits of both.
  let near = select(nl_log(no + p.clip), nl_log1p(-away), away < 0.5);
  let log_no = select(near, -nl_softplus(x), p.clip == 0.0);
  let log_yes = -nl_softplus(-x);
  let miss = y * no + (1.0 - y) * away;
  let gamma = p.gamma_pos * y + p.gamma_neg * (1.0 - y);
  return Parts(yes, no, select(log_yes, p.log_eps, log_yes < p.log_eps), select(log_no, p.log_eps, log_no < p.log_eps),
    away, miss, nl_pow(miss, gamma), gamma);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let a = parts_of(input, expected, p);
  return -(expected * a.log_yes + (1.0 - expected) * a.log_no) * a.hard;
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> f32 {
  let y = expected;
  let a = parts_of(input, y, p);
  // At a limit the gradient passes, beyond it is 0.
  let by_yes = select(a.no, 0.0, a.log_yes <= p.log_eps);
  let bell = a.yes * a.no;
  let inside = a.yes >= p.clip;
  let by_no = select(select(0.0, -nl_divide(bell, a.no + p.clip), inside), 0.0, a.log_no <= p.log_eps);
  let base = y * a.log_yes + (1.0 - y) * a.log_no;
  let slope = (1.0 - y) * select(0.0, bell, inside) - y * bell;
  let bend = select(a.gamma * base * nl_divide(slope, a.miss), 0.0, (a.miss == 0.0) | (a.gamma == 0.0));
  let g = -(y * by_yes + (1.0 - y) * by_no + bend) * (a.hard * grad_output);
  return select(g, input, is_nan(input));
}
