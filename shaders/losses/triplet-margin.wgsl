//#include "lib/bits.wgsl"
//#include "kernels/pair-rows/norms.wgsl"
//#include "kernels/pair-rows/triplet-hinge.wgsl"
// requires: Lane, V, agree, anchor, combine_one, negative, positive, store_grad_anchor, store_grad_negative
// requires: store_grad_positive, store_result, total, u.inner, u.n, u.op, upstream_of, vector, with_grad
// max(margin + d(anchor, positive) - d(anchor, negative), 0). If there is a third pair, the smaller of d(anchor,
// negative) and d(positive, negative) is subtracted; where they are equal, each receives half of the gradient. Where
// the first argument is 0, the gradient is that of this argument.
fn difference(k: u32, at: u32) -> V {
  switch k {
    case 0u: { return (anchor[at] - positive[at]) + u.op.eps; }
    case 1u: { return (anchor[at] - negative[at]) + u.op.eps; }
    default: { return (positive[at] - negative[at]) + u.op.eps; }
  }
}

// The difference of pair 0 minus the difference of pair k. Terms that occur in both are left out instead of
// cancelling.
fn gap(k: u32, at: u32) -> V {
  let near = negative[at] - positive[at];
  return select(near, near + (anchor[at] - positive[at]), vector(k == 2u));
}

// near - far for Euclidean norms of differences d and e, as the sum of (d - e)(d + e) divided by the sum of both
// norms. A plain difference of norms this large would be mostly rounding error.
fn apart(k: u32, near: Norm, far: Norm, base: u32, lane: Lane, local: u32) -> f32 {
  // An explicit fma scales both numbers before they are added, because their unscaled sum may be infinite.
  let down = select(near.down, far.down, far.down < near.down);
  var sum = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = V();
    for (var j = 0u; j < 32u && i < u.n; j++) {
      let at = base + i * u.inner;
      block += (gap(k, at) * down) * fma(difference(0u, at), V(down), difference(k, at) * down);
      i += lane.step;
    }
    sum += total(block);
  }
  let up = 127 - i32(bitcast<u32>(down) >> 23u);
  return scale2(combine_one(sum, local) / fma(near.value, down, far.value * down), up);
}

// Whether the norm is so large that it was scaled down.
fn is_large(norm: Norm) -> bool {
  return norm.down < 0x1p-40;
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  let sums = plain_sums(base, lane, local);
  let near = norm_of(0u, sums.x, base, lane, local);
  let far = norm_of(1u, sums.y, base, lane, local);
  var other = Norm(0.0, 1.0, 1.0, 1.0);
  var reach = far.value;
  if (pairs > 2u) {
    other = norm_of(2u, sums.z, base, lane, local);
    reach = nearer(far.value, other.value);
  }
  var slack = slack_of(near.value, reach, u.op.margin);
  var k = 1u;
  var away = far;
  if (pairs > 2u && other.value < far.value) {
    k = 2u;
    away = other;
  }
  let finite = !is_nan(slack) && !is_inf(slack);
  if (agree(kind == 2u && finite && (is_large(near) || is_large(away)), local)) {
    slack = u.op.margin + apart(k, near, away, base, lane, local);
    // A slack so small that it vanishes beside these distances even in float64 counts as 0.
    slack = select(slack, 0.0, abs(slack) < near.value * 0x1p-52);
  }
  if (lane.first == 0u) {
    store_result(r, select(slack, 0.0, slack < 0.0));
  }
  if (!with_grad) {
    return;
  }
  // Below the margin the gradient is computed with the factor 0 and not skipped, so that an infinite or undefined
  // slope gives NaN.
  let g = select(0.0, upstream_of(r), slack >= 0.0);
  let far_share = select(g, share(g, far.value, other.value), pairs > 2u);
  let other_share = share(g, other.value, far.value);
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
