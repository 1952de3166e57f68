// requires: Block, Row, Totals, add_row, base_of, combine_sum, exp_of, lane_index, lane_of, lanes, loss_of, merged, normalised
// requires: padded, part_of, parts, row_of, scan, scores_last, store_divisor, store_loss, target_of, u.first_loss
// requires: u.rows, u.units, unit_of, weight_of, with_divisor, with_grad, workgroup_size, write_grads
// The entry points of class-loss.wgsl for few long rows, which are divided into chunks.

@compute @workgroup_size(workgroup_size)
fn part_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let unit = unit_of(workgroup, workgroups, local);
  if (unit >= u.units) {
    return;
  }
  let r = unit % u.rows;
  var last: Block;
  var e: Block;
  let part = part_of(scan(base_of(r), lane_of(unit / u.rows, local), &last, &e), local);
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
fn chunk_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let unit = unit_of(workgroup, workgroups, local);
  if (unit >= u.units) {
    return;
  }
  let r = unit % u.rows;
  let base = base_of(r);
  var row: Row;
  if (normalised) {
    row = row_of(merged(r, lane_index(local), lanes()), local);
  }
  let row_target = target_of(r, base, row);
  if (unit < u.rows && lane_index(local) == 0u) {
    store_loss(u.first_loss + r, loss_of(row_target, row));
  }
  if (with_grad) {
    let lane = lane_of(unit / u.rows, local);
    var last: Block;
    var e: Block;
    if (normalised && padded) {
      last = scores_last(base, lane);
      e = exp_of(last, row.sums.anchor);
    }
    write_grads(row_target, r, base, lane, last, e, row);
  }
}
