//#include "lib/bits.wgsl"
//#include "kernels/pair-rows/cosine.wgsl"
// requires: Lane, V, input1, input2, labels, store_grad_input1, store_grad_input2, store_result, u.inner, u.n, u.op
// requires: upstream_of, with_grad
// 1 - cos of two rows if the label is 1, max(cos - margin, 0) if it is -1, else 0. 1e-12 is added to the squared
// lengths, as in PyTorch. Where cos equals the margin, the gradient is that of cos - margin.

// Rows of small elements are not scaled up: squares that underflow are negligible beside 1e-12.
const lowest = -1.0;
const least_exponent = 0;

fn left(at: u32) -> V {
  return input1[at];
}

fn right(at: u32) -> V {
  return input2[at];
}

fn side_of(sum: f32, down: f32) -> Side {
  let guard = (1e-12 * down) * down;
  let unit = nl_reciprocal(nl_sqrt(sum + guard));
  return Side(down, unit, unit, (guard * unit) * unit);
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  let row = cosine_of(base, lane, local);
  let label = labels[r];
  let above = row.value - u.op.margin;
  if (lane.first == 0u) {
    let apart = select(above, 0.0, above < 0.0);
    store_result(r, select(select(0.0, apart, label == -1.0), 1.0 - row.value, label == 1.0));
  }
  if (!with_grad) {
    return;
  }
  // Where the loss is flat, the gradient is computed with the factor 0 and not skipped, so that an undefined cosine
  // gives NaN.
  let side = select(select(0.0, 1.0, label == -1.0 && above >= 0.0), -1.0, label == 1.0);
  let g = select(side * upstream_of(r), 0.0, side == 0.0);
  for (var i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    store_grad_input1(at, cosine_grad(g, row.value, input1[at], row.left, input2[at], row.right));
    store_grad_input2(at, cosine_grad(g, row.value, input2[at], row.right, input1[at], row.left));
  }
}
