//#include "kernels/pair-rows/norms.wgsl"
// requires: Lane, V, labels, loss, loss_grad, store_grad_x1, store_grad_x2, store_result, u.inner, u.n, upstream_of
// requires: with_grad, x1, x2
// The loss of a pair of rows by their Euclidean distance and their label, which the op gives, and its derivative by the distance.
fn difference(k: u32, at: u32) -> V {
  return x1[at] - x2[at];
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  let norm = norm_of(0u, plain_sums(base, lane, local).x, base, lane, local);
  let label = labels[r];
  if (lane.first == 0u) {
    store_result(r, loss(norm.value, label));
  }
  if (!with_grad) {
    return;
  }
  let g = upstream_of(r) * loss_grad(norm.value, label);
  for (var i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    let slope = norm_grad(0u, at, norm, g);
    store_grad_x1(at, slope);
    store_grad_x2(at, -slope);
  }
}
