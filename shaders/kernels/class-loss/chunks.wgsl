// requires: Block, Grid, Row, Totals, add_row, base_of, begin_row, combine_sum, exp_of, lane_index, lane_of, lanes, loss_of
// requires: merged, normalised, padded, part_of, parts, place_of, row_of, scan, scores_last, store_divisor
// requires: store_loss, target_of, u.first_loss, u.rows, u.units, unit_of, weight_of, with_divisor, with_grad
// requires: workgroup_size, write_grads
// The entry points of class-loss.wgsl for few long rows, which are divided into chunks.

@compute @workgroup_size(workgroup_size)
fn part_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.units) {
    return;
  }
  let at = place_of(unit);
  var last: Block;
  var e: Block;
  let base = base_of(at.row);
  begin_row(at.row, base);
  let part = part_of(scan(base, lane_of(at.chunk, local), &last, &e), local);
  if (lane_index(local) == 0u) {
    parts[unit] = part;
  }
  if (with_divisor && unit == 0u) {
    var totals: Totals;
    for (var i = lane_index(local); i < u.rows; i += lanes()) {
      add_row(&totals, vec2f(weight_of(i), 0.0));
    }
    let total = combine_sum(totals.sum + totals.block, local).x;
    if (lane_index(local) == 0u) {
      store_divisor(total);
    }
  }
}

@compute @workgroup_size(workgroup_size)
fn chunk_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.units) {
    return;
  }
  let at = place_of(unit);
  let base = base_of(at.row);
  begin_row(at.row, base);
  var row: Row;
  if (normalised) {
    row = row_of(merged(at.row, lane_index(local), lanes()), local);
  }
  let row_target = target_of(at.row, base, row);
  if (unit < u.rows && lane_index(local) == 0u) {
    store_loss(u.first_loss + at.row, loss_of(row_target, row));
  }
  if (with_grad) {
    let lane = lane_of(at.chunk, local);
    var last: Block;
    var e: Block;
    if (normalised && padded) {
      last = scores_last(base, lane);
      e = exp_of(last, row.sums.anchor);
    }
    write_grads(row_target, at.row, base, lane, last, e, row);
  }
}
