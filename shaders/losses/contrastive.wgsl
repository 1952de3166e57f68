//#include "kernels/pair-rows/norms.wgsl"
// requires: Lane, V, labels, store_grad_x1, store_grad_x2, store_result, u.inner, u.n, u.op, upstream_of, with_grad, x1, x2
// t D^2 / 2 + (1 - t) max(margin - D, 0)^2 / 2, where D is the Euclidean distance of two rows and t their label.

fn difference(k: u32, at: u32) -> V {
  return x1[at] - x2[at];
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  let norm = norm_of(0u, plain_sums(base, lane, local).x, base, lane, local);
  let distance = norm.value;
  let label = labels[r];
  let gap = u.op.margin - distance;
  // A comparison would lose a NaN.
  let hinge = select(gap, 0.0, gap < 0.0);
  if (lane.first == 0u) {
    store_result(r, (label * (0.5 * distance)) * distance + (1.0 - label) * (0.5 * hinge) * hinge);
  }
  if (!with_grad) {
    return;
  }
  // Dissimilar rows that are infinitely far apart have no gradient.
  let near = select(label * distance, 0.0, label == 0.0);
  let g = upstream_of(r) * (near - (1.0 - label) * hinge);
  for (var i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    let slope = norm_grad(0u, at, norm, g);
    store_grad_x1(at, slope);
    store_grad_x2(at, -slope);
  }
}
