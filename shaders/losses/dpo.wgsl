//#include "lib/bits.wgsl"
//#include "lib/preference.wgsl"
// requires: loss_type
// Of h = (pc - rc) - (pr - rr), with z = beta h: the loss of a preference (loss_type 0), max(1 - z, 0) (1), or
// (h - 1 / (2 beta))^2 (2). A quarter of h is computed, because sums of four may overflow.
//
// What its differences round is kept and added last, as they may be all that four large numbers leave. `zero` is 0 at run
// time, so that no compiler takes these errors for 0; where the difference is not finite there are none.
fn hidden(x: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ zero);
}

fn two_difference(a: f32, b: f32, zero: u32) -> vec2f {
  let d = hidden(a - b, zero);
  let part = hidden(d - a, zero);
  let low = (a - (d - part)) - (b + part);
  return vec2f(d, select(low, 0.0, is_nan(low) | is_inf(low)));
}

fn quarter_of(pc: f32, pr: f32, rc: f32, rr: f32, p: Params) -> f32 {
  let zero = bitcast<u32>(p.beta) >> 31u;
  let chosen = two_difference(0.25 * pc, 0.25 * rc, zero);
  let rejected = two_difference(0.25 * pr, 0.25 * rr, zero);
  let h = two_difference(chosen.x, rejected.x, zero);
  return h.x + (h.y + (chosen.y - rejected.y));
}

fn loss(pc: f32, pr: f32, rc: f32, rr: f32, p: Params) -> f32 {
  let h = quarter_of(pc, pr, rc, rr, p);
  let z = 4.0 * p.beta * h;
  if (loss_type == 1u) {
    return select(1.0 - z, 0.0, z > 1.0);
  }
  if (loss_type == 2u) {
    let off = 4.0 * h - p.aim;
    return off * off;
  }
  return nl_preference(z, p.label_smoothing);
}

fn loss_grad(pc: f32, pr: f32, rc: f32, rr: f32, grad_output: f32, p: Params) -> vec2f {
  let h = quarter_of(pc, pr, rc, rr, p);
  let z = 4.0 * p.beta * h;
  var g = 0.0;
  if (loss_type == 1u) {
    g = select(-p.beta * grad_output, 0.0, z >= 1.0);
  } else if (loss_type == 2u) {
    g = (h - 0.25 * p.aim) * (8.0 * grad_output);
  } else {
    g = nl_preference_grad(p.beta * grad_output, z, p.label_smoothing);
  }
  return vec2f(g, -g);
}
