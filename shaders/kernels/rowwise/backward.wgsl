// requires: Block, Grid, Lane, backward, backward_term, row_base, block_quads, combine_sum, grad_output_block
// requires: grad_output_full, grad_output_last, horizontal_sum, in_registers, lane_index, lane_of, lanes, padded
// requires: parts, place_of, store_y_full, store_y_last, sum_of, u.chunks, u.rows, unit_of, workgroup_size, x_block
// requires: x_full, x_last
// The part of rowwise.wgsl that computes gradients. They are computed from the results, not from the input.

fn terms_of(v: Block, g: Block) -> vec4f {
  return sum_of(Block(backward_term(v.a, g.a), backward_term(v.b, g.b), backward_term(v.c, g.c), backward_term(v.d, g.d)));
}

// The sum over a lane's part of the row that the gradient needs. It has two stages, as in `scan`.
fn backward_sum(base: u32, lane: Lane, last: ptr<function, Block>, last_grad: ptr<function, Block>) -> f32 {
  var total = vec4f();
  if (padded) {
    *last = x_last(base, lane);
    *last_grad = grad_output_last(base, lane);
    total = terms_of(*last, *last_grad);
  }
  if (!in_registers) {
    var block = vec4f();
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      block += terms_of(x_block(base, q, lane.step), grad_output_block(base, q, lane.step));
      if ((k & 31u) == 31u) {
        total += block;
        block = vec4f();
      }
      q += block_quads * lane.step;
    }
    total += block;
  }
  return horizontal_sum(total);
}

fn write_grad(base: u32, lane: Lane, last: Block, last_grad: Block, total: f32) {
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      store_y_full(base, q, backward(x_full(base, q), grad_output_full(base, q), total));
      q += lane.step;
    }
  }
  if (!padded) {
    return;
  }
  var r: Block;
  r.a = backward(last.a, last_grad.a, total);
  if (block_quads > 1u) {
    r.b = backward(last.b, last_grad.b, total);
  }
  if (block_quads > 2u) {
    r.c = backward(last.c, last_grad.c, total);
  }
  if (block_quads > 3u) {
    r.d = backward(last.d, last_grad.d, total);
  }
  store_y_last(base, lane, r);
}

@compute @workgroup_size(workgroup_size)
fn backward_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = row_base(r);
  let lane = lane_of(0u, local);
  var last: Block;
  var last_grad: Block;
  let total = combine_sum(vec2f(backward_sum(base, lane, &last, &last_grad), 0.0), local).x;
  write_grad(base, lane, last, last_grad, total);
}

@compute @workgroup_size(workgroup_size)
fn backward_parts(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = row_base(at.row);
  let lane = lane_of(at.chunk, local);
  var last: Block;
  var last_grad: Block;
  let part = combine_sum(vec2f(backward_sum(base, lane, &last, &last_grad), 0.0), local).x;
  if (lane_index(local) == 0u) {
    parts[unit] = vec2f(part, 0.0);
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_chunks(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  var total = 0.0;
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    total += parts[c * u.rows + at.row].x;
  }
  total = combine_sum(vec2f(total, 0.0), local).x;
  let base = row_base(at.row);
  let lane = lane_of(at.chunk, local);
  var last: Block;
  var last_grad: Block;
  if (padded) {
    last = x_last(base, lane);
    last_grad = grad_output_last(base, lane);
  }
  write_grad(base, lane, last, last_grad, total);
}
