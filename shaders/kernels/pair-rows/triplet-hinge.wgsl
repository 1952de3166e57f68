//#include "lib/bits.wgsl"
// max(margin + near - min(far, other), 0) of distances, and its gradient: half each where far and other are equal, all for
// both where either is NaN, none below the margin.
fn nearer(far: f32, other: f32) -> f32 {
  let none = is_nan(far) || is_nan(other);
  return select(select(far, other, other < far), nan(), none);
}

// margin + near - reach. The distances come first, as float32 may have nothing left of a margin added to one, and what their
// difference loses by rounding comes last, so that the sign is exact. Where a compiler reassociates, or the difference is
// not finite, nothing is lost. Next to distances where float64 has nothing left of a margin, it is 0, as in PyTorch.
fn slack_of(near: f32, reach: f32, margin: f32) -> f32 {
  let apart = near - reach;
  let part = apart - near;
  let lost = (near - (apart - part)) - (reach + part);
  let kept = select(margin, 0.0, abs(near) > margin * 0x1p+53);
  return (kept + apart) + select(lost, 0.0, is_nan(lost) | is_inf(lost));
}

fn hinge(near: f32, reach: f32, p: Params) -> f32 {
  let slack = slack_of(near, reach, p.margin);
  return select(slack, 0.0, slack < 0.0);
}

fn hinge_grad(near: f32, reach: f32, grad_output: f32, p: Params) -> f32 {
  return select(0.0, grad_output, slack_of(near, reach, p.margin) >= 0.0);
}

// What distance `a` has, against `b`, of the gradient g of the nearer one.
fn share(g: f32, a: f32, b: f32) -> f32 {
  return select(select(g, 0.0, a > b), 0.5 * g, a == b);
}
