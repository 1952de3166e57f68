// requires: Block, Grid, Lane, Row, Terms, backward, backward_terms, base_of, block_quads, combine_sum
// requires: grad_output_block, grad_output_full, grad_output_last, horizontal_sum, in_registers, kept, kept_row
// requires: lane_index, lane_of, lanes, normalised, operands_full, operands_last_quad, padded, parts, place_of
// requires: store_y_full, store_y_last, u.chunks, u.reciprocal, u.rows, unit_of, workgroup_size, x_block, x_full
// requires: x_last
// The part of norm.wgsl that computes the gradient of x from x and the row statistics that the forward direction stored. It
// needs the means of two terms over the row.

fn add_terms(total: ptr<function, Terms>, terms: Terms) {
  *total = Terms((*total).a + terms.a, (*total).b + terms.b);
}

fn normalised_block(v: Block, row: Row) -> Block {
  return Block(normalised(v.a, row), normalised(v.b, row), normalised(v.c, row), normalised(v.d, row));
}

fn terms_of_last(lane: Lane, row: Row, v: Block, g: Block) -> Terms {
  let z = kept(normalised_block(v, row), lane);
  var total = backward_terms(z.a, g.a, operands_last_quad(lane, 0u));
  if (block_quads > 1u) {
    add_terms(&total, backward_terms(z.b, g.b, operands_last_quad(lane, 1u)));
  }
  if (block_quads > 2u) {
    add_terms(&total, backward_terms(z.c, g.c, operands_last_quad(lane, 2u)));
  }
  if (block_quads > 3u) {
    add_terms(&total, backward_terms(z.d, g.d, operands_last_quad(lane, 3u)));
  }
  return total;
}

fn terms_of_block(base: u32, q: u32, step: u32, row: Row) -> Terms {
  let v = x_block(base, q, step);
  let g = grad_output_block(base, q, step);
  var total = backward_terms(normalised(v.a, row), g.a, operands_full(q));
  if (block_quads > 1u) {
    add_terms(&total, backward_terms(normalised(v.b, row), g.b, operands_full(q + step)));
  }
  if (block_quads > 2u) {
    add_terms(&total, backward_terms(normalised(v.c, row), g.c, operands_full(q + 2u * step)));
  }
  if (block_quads > 3u) {
    add_terms(&total, backward_terms(normalised(v.d, row), g.d, operands_full(q + 3u * step)));
  }
  return total;
}

// The two sums over a lane's part of the row. They have two stages, as in `second_sum`.
fn backward_sum(
  base: u32,
  lane: Lane,
  row: Row,
  last: ptr<function, Block>,
  last_grad: ptr<function, Block>,
) -> vec2f {
  var total: Terms;
  if (padded) {
    *last = x_last(base, lane);
    *last_grad = grad_output_last(base, lane);
    total = terms_of_last(lane, row, *last, *last_grad);
  }
  if (!in_registers) {
    var block: Terms;
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      add_terms(&block, terms_of_block(base, q, lane.step, row));
      if ((k & 31u) == 31u) {
        add_terms(&total, block);
        block = Terms();
      }
      q += block_quads * lane.step;
    }
    add_terms(&total, block);
  }
  return vec2f(horizontal_sum(total.a), horizontal_sum(total.b));
}

// Two factors, by which gradients on the scale of the row are multiplied one after the other. Their product alone could
// leave the range of float32.
fn slopes_of(row: Row) -> vec2f {
  return select(vec2f(row.factor * row.scale, 1.0), vec2f(row.factor, row.scale), row.scale < 1.0);
}

fn write_grad(base: u32, lane: Lane, row: Row, last: Block, last_grad: Block, sums: vec2f) {
  let means = sums * u.reciprocal;
  let s = slopes_of(row);
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      let z = normalised(x_full(base, q), row);
      store_y_full(base, q, backward(z, grad_output_full(base, q), operands_full(q), means) * s.x * s.y);
      q += lane.step;
    }
  }
  if (!padded) {
    return;
  }
  var r: Block;
  r.a = backward(normalised(last.a, row), last_grad.a, operands_last_quad(lane, 0u), means) * s.x * s.y;
  if (block_quads > 1u) {
    r.b = backward(normalised(last.b, row), last_grad.b, operands_last_quad(lane, 1u), means) * s.x * s.y;
  }
  if (block_quads > 2u) {
    r.c = backward(normalised(last.c, row), last_grad.c, operands_last_quad(lane, 2u), means) * s.x * s.y;
  }
  if (block_quads > 3u) {
    r.d = backward(normalised(last.d, row), last_grad.d, operands_last_quad(lane, 3u), means) * s.x * s.y;
  }
  store_y_last(base, lane, r);
}

@compute @workgroup_size(workgroup_size)
fn backward_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = base_of(r);
  let lane = lane_of(0u, local);
  let row = kept_row(r);
  var last: Block;
  var last_grad: Block;
  let sums = combine_sum(backward_sum(base, lane, row, &last, &last_grad), local);
  write_grad(base, lane, row, last, last_grad, sums);
}

@compute @workgroup_size(workgroup_size)
fn backward_parts(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  var last: Block;
  var last_grad: Block;
  let part = backward_sum(
    base_of(at.row), lane_of(at.chunk, local), kept_row(at.row), &last, &last_grad,
  );
  let total = combine_sum(part, local);
  if (lane_index(local) == 0u) {
    parts[unit] = total;
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_chunks(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  var sums = vec2f();
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    sums += parts[c * u.rows + at.row];
  }
  sums = combine_sum(sums, local);
  let base = base_of(at.row);
  let lane = lane_of(at.chunk, local);
  var last: Block;
  var last_grad: Block;
  if (padded) {
    last = x_last(base, lane);
    last_grad = grad_output_last(base, lane);
  }
  write_grad(base, lane, kept_row(at.row), last, last_grad, sums);
}
