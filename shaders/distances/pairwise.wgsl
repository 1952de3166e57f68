//#include "kernels/pair-rows/norms.wgsl"
// requires: Lane, V, store_grad_x, store_grad_y, store_result, u.inner, u.n, u.op, upstream_of, with_grad, x, y
// The p-norm ||x - y + eps||_p of each row.
fn difference(k: u32, at: u32) -> V {
  return (x[at] - y[at]) + u.op.eps;
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  let norm = norm_of(0u, plain_sums(base, lane, local).x, base, lane, local);
  if (lane.first == 0u) {
    store_result(r, norm.value);
  }
  if (!with_grad) {
    return;
  }
  let g = upstream_of(r);
  for (var i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    let slope = norm_grad(0u, at, norm, g);
    store_grad_x(at, slope);
    store_grad_y(at, -slope);
  }
}
