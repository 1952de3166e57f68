// requires: Block, Grads, Lane, Row, Target, anchored_exp, block_quads, grads_at, grads_of, in_registers, last_quad
// requires: normalised, padded, scores_full, soft, soft_full, soft_last, store_grad_probabilities_full
// requires: store_grad_probabilities_last_quad, store_grad_scores_full, store_grad_scores_last_quad, u.first_row
// requires: upstream_of
// The part of class-loss.wgsl that writes the gradients of a row.

// Writes the gradients of a row quad by quad. In the functions below, q is the index of a quad, x its scores and e
// their exponentials on the scale of the row.
fn write_grads(row_target: Target, r: u32, base: u32, lane: Lane, last: Block, e: Block, row: Row) {
  let g = grads_of(row_target, upstream_of(u.first_row + r), row);
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      if (normalised) {
        let x = scores_full(base, q);
        write_full(base, q, grads_at(q, x, anchored_exp(x, row.sums.anchor), soft_full(base, q), g, row));
      } else {
        write_full(base, q, grads_at(q, vec4f(), vec4f(), vec4f(), g, row));
      }
      q += lane.step;
    }
  }
  if (padded) {
    var s: Block;
    if (soft) {
      s = soft_last(base, lane);
    }
    write_last(base, lane, 0u, last.a, e.a, s.a, g, row);
    if (block_quads > 1u) {
      write_last(base, lane, 1u, last.b, e.b, s.b, g, row);
    }
    if (block_quads > 2u) {
      write_last(base, lane, 2u, last.c, e.c, s.c, g, row);
    }
    if (block_quads > 3u) {
      write_last(base, lane, 3u, last.d, e.d, s.d, g, row);
    }
  }
}

fn write_full(base: u32, q: u32, v: Gradients) {
  store_grad_scores_full(base, q, v.scores);
  store_grad_probabilities_full(base, q, v.probabilities);
}

fn write_last(base: u32, lane: Lane, k: u32, x: vec4f, e: vec4f, s: vec4f, g: Grads, row: Row) {
  let v = grads_at(last_quad(lane, k), x, e, s, g, row);
  store_grad_scores_last_quad(base, lane, k, v.scores);
  store_grad_probabilities_last_quad(base, lane, k, v.probabilities);
}

// The gradients of one quad.
struct Gradients {
  scores: vec4f,
  probabilities: vec4f,
}
