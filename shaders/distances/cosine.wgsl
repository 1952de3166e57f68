//#include "kernels/pair-rows/cosine.wgsl"
// requires: Lane, V, store_grad_x, store_grad_y, store_result, u.inner, u.n, u.op, upstream_of, with_grad, x, y
// The cosine similarity x . y / (max(|x|, eps) max(|y|, eps)). As in PyTorch, the gradient is computed as if the
// derivative of max(|x|, eps) were that of |x| everywhere.
const lowest = 0x1p-80;
const least_exponent = -100;

fn left(at: u32) -> V {
  return x[at];
}

fn right(at: u32) -> V {
  return y[at];
}

fn side_of(sum: f32, down: f32) -> Side {
  let length = nl_sqrt(sum);
  let least = u.op.eps * down;
  let short = length < least;
  let unit = nl_reciprocal(select(length, least, short));
  let alone = select(0.0, 1.0 - length * unit, short);
  return Side(down, unit, select(nl_reciprocal(length), 0.0, length == 0.0), alone);
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  let row = cosine_of(base, lane, local);
  if (lane.first == 0u) {
    store_result(r, row.value);
  }
  if (!with_grad) {
    return;
  }
  let g = upstream_of(r);
  for (var i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    store_grad_x(at, cosine_grad(g, row.value, x[at], row.left, y[at], row.right));
    store_grad_y(at, cosine_grad(g, row.value, y[at], row.right, x[at], row.left));
  }
}
