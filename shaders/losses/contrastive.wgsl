//#include "kernels/pair-rows/distance.wgsl"
// requires: u.op
// t D^2 / 2 + (1 - t) max(margin - D, 0)^2 / 2 of a distance D and a label t; at t = 0 an infinite D has no gradient.
fn hinge_of(distance: f32) -> f32 {
  let gap = u.op.margin - distance;
  return select(gap, 0.0, gap < 0.0); // a comparison would lose a NaN
}

fn loss(distance: f32, label: f32) -> f32 {
  let hinge = hinge_of(distance);
  return (label * (0.5 * distance)) * distance + (1.0 - label) * (0.5 * hinge) * hinge;
}

fn loss_grad(distance: f32, label: f32) -> f32 {
  return select(label * distance, 0.0, label == 0.0) - (1.0 - label) * hinge_of(distance);
}
