// requires: Totals, add_row, base_of, begin_row, loss_of, merged, nan, row_of, store_loss, target_of, u.divisor, u.rows
// requires: workgroup_size
// The entry point of class-loss.wgsl that sums the losses of rows that were divided into chunks. It is linked with
// the `rows` slot that gives each row to one invocation.

// The losses and weights of rows first, first + step, ...
fn losses_from(first: u32, step: u32, local: u32) -> vec2f {
  var totals: Totals;
  for (var r = first; r < u.rows; r += step) {
    let base = base_of(r);
    begin_row(r, base);
    let row = row_of(merged(r, 0u, 1u), local);
    add_row(&totals, loss_of(target_of(r, base, row), row));
  }
  return totals.sum + totals.block;
}

fn store_mean(total: vec2f) {
  let by = select(u.divisor, total.y, u.divisor == 0.0);
  // A mean over no rows, or over rows of total weight 0, is NaN.
  store_loss(0u, vec2f(select(total.x / by, nan(), by == 0.0), 0.0));
}

var<workgroup> totals_of_lanes: array<vec2f, workgroup_size>;

@compute @workgroup_size(workgroup_size)
fn finish_parts(@builtin(local_invocation_index) local: u32) {
  totals_of_lanes[local] = losses_from(local, workgroup_size, local);
  workgroupBarrier();
  if (local == 0u) {
    var sum = vec2f();
    for (var i = 0u; i < workgroup_size; i += 8u) {
      var block = totals_of_lanes[i];
      for (var k = 1u; k < 8u; k++) {
        block += totals_of_lanes[i + k];
      }
      sum += block;
    }
    store_mean(sum);
  }
}
