//#include "lib/bits.wgsl"
// max(margin + near - min(far, other), 0) of distances, and its gradient: half each where far and other are equal, all for
// both where either is NaN, none below the margin.
fn nearer(far: f32, other: f32) -> f32 {
  let none = is_nan(far) || is_nan(other);
  return select(select(far, other, other < far), nan(), none);
}

fn hinge(near: f32, reach: f32, p: Params) -> f32 {
  let slack = (p.margin + near) - reach;
  return select(slack, 0.0, slack < 0.0);
}

fn hinge_grad(near: f32, reach: f32, grad_output: f32, p: Params) -> f32 {
  return select(0.0, grad_output, (p.margin + near) - reach >= 0.0);
}

// What distance `a` has, against `b`, of the gradient g of the nearer one.
fn share(g: f32, a: f32, b: f32) -> f32 {
  return select(select(g, 0.0, a > b), 0.5 * g, a == b);
}
