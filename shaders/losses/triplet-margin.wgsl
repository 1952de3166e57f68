//#include "lib/bits.wgsl"
//#include "kernels/row-norms.wgsl"
// max(margin + d(anchor, positive) - d(anchor, negative), 0), or with the nearer of d(anchor, negative) and
// d(positive, negative) where the third pair is there. At a tie each of those has half of the gradient; at the margin the
// gradient passes.
fn difference(k: u32, at: u32) -> V {
  switch k {
    case 0u: { return (anchor[at] - positive[at]) + u.op.eps; }
    case 1u: { return (anchor[at] - negative[at]) + u.op.eps; }
    default: { return (positive[at] - negative[at]) + u.op.eps; }
  }
}

// What distance `a` has, against `b`, of the gradient of the nearer one; both have all of it where either is NaN.
fn share_of(g: f32, a: f32, b: f32) -> f32 {
  return select(select(g, 0.0, a > b), 0.5 * g, a == b);
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  let sums = plain_sums(base, lane, local);
  let near = norm_of(0u, sums.x, base, lane, local);
  let far = norm_of(1u, sums.y, base, lane, local);
  var other = Norm(0.0, 1.0, 1.0, 1.0);
  var reach = far.value;
  if (pairs > 2u) {
    other = norm_of(2u, sums.z, base, lane, local);
    let none = is_nan(far.value) || is_nan(other.value);
    reach = select(select(far.value, other.value, other.value < far.value), nan(), none);
  }
  let slack = (u.op.margin + near.value) - reach;
  if (lane.first == 0u) {
    store_result(r, select(slack, 0.0, slack < 0.0));
  }
  if (!with_grad) {
    return;
  }
  // 0, not nothing, below the margin: times an infinite or undefined slope it is NaN.
  let g = select(0.0, upstream_of(r), slack >= 0.0);
  let far_share = select(g, share_of(g, far.value, other.value), pairs > 2u);
  let other_share = share_of(g, other.value, far.value);
  for (var i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    let pull = norm_grad(0u, at, near, g);
    let push = norm_grad(1u, at, far, far_share);
    store_grad_anchor(at, pull - push);
    if (pairs > 2u) {
      let swap = norm_grad(2u, at, other, other_share);
      store_grad_positive(at, -pull - swap);
      store_grad_negative(at, push + swap);
    } else {
      store_grad_positive(at, -pull);
      store_grad_negative(at, push);
    }
  }
}
