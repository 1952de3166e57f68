// requires: Block, Grid, Lane, Normaliser, RowSum, add_to, anchored_exp, row_base, block_quads, divisor_of, end_stage
// requires: first_sum, forward, from_exp, in_registers, lane_index, lane_of, lanes, logit_of, merge, no_sum
// requires: normaliser_of, padded, parts, place_of, put_on_scale, store_y_full, store_y_last, u.chunks, u.rows
// requires: unit_of, workgroup_size, x_block, x_full, x_last
// The part of rowwise.wgsl that computes results.

fn logits_of(v: Block) -> Block {
  return Block(logit_of(v.a), logit_of(v.b), logit_of(v.c), logit_of(v.d));
}

fn last_of(base: u32, lane: Lane) -> Block {
  var last: Block;
  if (padded) {
    last = logits_of(x_last(base, lane));
  }
  return last;
}

// The sum over a lane's part of the row. `last` becomes its last block, and `e` the exponentials of that block, on the scale
// of this part's maximum.
fn scan(base: u32, lane: Lane, last: ptr<function, Block>, e: ptr<function, Block>) -> RowSum {
  var s: RowSum;
  if (padded) {
    *last = logits_of(x_last(base, lane));
    s = first_sum(*last, e);
  } else {
    s = no_sum();
  }
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      add_to(&s, logits_of(x_block(base, q, lane.step)));
      if ((k & 31u) == 31u) {
        end_stage(&s);
      }
      q += block_quads * lane.step;
    }
  }
  return s;
}

fn result_of(v: vec4f, row: Normaliser, divisor: f32) -> vec4f {
  if (from_exp) {
    return forward(anchored_exp(v, row.anchor), row, divisor);
  }
  return forward(v, row, divisor);
}

fn results_of(v: Block, row: Normaliser, divisor: f32) -> Block {
  var r: Block;
  r.a = result_of(v.a, row, divisor);
  if (block_quads > 1u) {
    r.b = result_of(v.b, row, divisor);
  }
  if (block_quads > 2u) {
    r.c = result_of(v.c, row, divisor);
  }
  if (block_quads > 3u) {
    r.d = result_of(v.d, row, divisor);
  }
  return r;
}

fn write(base: u32, lane: Lane, last: Block, row: Normaliser) {
  let divisor = divisor_of(row);
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      store_y_full(base, q, result_of(logit_of(x_full(base, q)), row, divisor));
      q += lane.step;
    }
  }
  if (padded) {
    store_y_last(base, lane, results_of(last, row, divisor));
  }
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = row_base(r);
  let lane = lane_of(0u, local);
  var last: Block;
  var e: Block;
  let s = scan(base, lane, &last, &e);
  let row = normaliser_of(s, local, true);
  if (in_registers && from_exp) {
    put_on_scale(&e, last, s.anchor, row.anchor);
    let divisor = divisor_of(row);
    store_y_last(base, lane, Block(
      forward(e.a, row, divisor),
      forward(e.b, row, divisor),
      forward(e.c, row, divisor),
      forward(e.d, row, divisor),
    ));
  } else {
    write(base, lane, last, row);
  }
}

@compute @workgroup_size(workgroup_size)
fn forward_parts(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = row_base(at.row);
  let lane = lane_of(at.chunk, local);
  var last: Block;
  var e: Block;
  let part = normaliser_of(scan(base, lane, &last, &e), local, false);
  if (lane_index(local) == 0u) {
    parts[unit] = vec2f(part.max, part.sum_others);
  }
}

@compute @workgroup_size(workgroup_size)
fn forward_chunks(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  var s = no_sum();
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    let part = parts[c * u.rows + at.row];
    merge(&s, part.x, part.y);
  }
  let row = normaliser_of(s, local, true);
  let base = row_base(at.row);
  let lane = lane_of(at.chunk, local);
  write(base, lane, last_of(base, lane), row);
}

