// Sums over all rows by one workgroup: the part of class-loss.wgsl that is linked with a row an invocation only.

var<workgroup> totals_of_lanes: array<vec2f, workgroup_size>;

// The sum of all lanes' values, over the divisor; for the first lane.
fn finished(total: vec2f, local: u32) -> f32 {
  totals_of_lanes[local] = total;
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < workgroup_size; i += 8u) {
    var block = totals_of_lanes[i];
    for (var k = 1u; k < 8u; k++) {
      block += totals_of_lanes[i + k];
    }
    sum += block;
  }
  let by = select(u.divisor, sum.y, u.divisor == 0.0);
  // The mean of nothing is NaN.
  return select(sum.x / by, nan(), by == 0.0);
}

// The loss of all rows from their chunks' parts.
@compute @workgroup_size(workgroup_size)
fn finish_parts(@builtin(local_invocation_index) local: u32) {
  var totals: Totals;
  for (var r = local; r < u.rows; r += workgroup_size) {
    add_row(&totals, loss_of(r, base_of(r), row_of(merged(r, 0u, 1u), local)));
  }
  let loss = finished(totals.sum + totals.block, local);
  if (local == 0u) {
    store_loss(0u, vec2f(loss, 0.0));
  }
}

// The weights of all rows: the divisor of the mean, ahead of a gradient that needs it.
@compute @workgroup_size(workgroup_size)
fn total_weight(@builtin(local_invocation_index) local: u32) {
  var totals: Totals;
  for (var r = local; r < u.rows; r += workgroup_size) {
    add_row(&totals, vec2f(weight_of(r), 0.0));
  }
  let total = finished(totals.sum + totals.block, local);
  if (local == 0u) {
    store_divisor(total);
  }
}
