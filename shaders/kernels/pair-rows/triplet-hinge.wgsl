//#include "lib/bits.wgsl"
// The hinge max(margin + near - min(far, other), 0) of distances, and its gradient. Where far equals other, each of
// them receives half of the gradient. Where either is NaN, both receive all of it. Below the margin the gradient is
// 0.
fn nearer(far: f32, other: f32) -> f32 {
  let none = is_nan(far) || is_nan(other);
  return select(select(far, other, other < far), nan(), none);
}

// margin + near - reach with an exact sign. The two distances are subtracted first, because a small margin added to a
// large distance could be lost by rounding. The rounding error of that difference is added last. Where the difference
// is not finite, or a compiler reassociates, the error is 0. A margin that is too small to change the distance even
// in float64 counts as 0, as in PyTorch.
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

// The part of the gradient g of min(a, b) that distance `a` receives.
fn share(g: f32, a: f32, b: f32) -> f32 {
  return select(select(g, 0.0, a > b), 0.5 * g, a == b);
}
