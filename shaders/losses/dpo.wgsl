//#include "lib/preference.wgsl"
// Of h = (pc - rc) - (pr - rr), with z = beta h: the loss of a preference (loss_type 0), max(1 - z, 0) (1), or
// (h - 1 / (2 beta))^2 (2). A quarter of h is computed, because sums of four may overflow.
fn quarter_of(pc: f32, pr: f32, rc: f32, rr: f32) -> f32 {
  return (0.25 * pc - 0.25 * rc) - (0.25 * pr - 0.25 * rr);
}

fn loss(pc: f32, pr: f32, rc: f32, rr: f32, p: Params) -> f32 {
  let h = quarter_of(pc, pr, rc, rr);
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
  let h = quarter_of(pc, pr, rc, rr);
  let z = 4.0 * p.beta * h;
  var g = 0.0;
  if (loss_type == 1u) {
    g = select(-p.beta * grad_output, 0.0, z >= 1.0);
  } else if (loss_type == 2u) {
    g = (4.0 * h - p.aim) * (2.0 * grad_output);
  } else {
    g = nl_preference_grad(p.beta * grad_output, z, p.label_smoothing);
  }
  return vec2f(g, -g);
}
