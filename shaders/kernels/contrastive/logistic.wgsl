//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// requires: Grid, POSITIVE, combine_sum, lane_of, logit_of, pair_of, products, row_of, store_loss, u.columns, u.first
// requires: u.rows, upstream_of, workgroup_size
// The part of contrastive.wgsl for losses of each pair by itself: log(1 + e^z), and log(1 + e^-z) of a positive pair.

fn gradient_of(row: u32, column: u32, logit: f32, pair: u32) -> f32 {
  let side = select(1.0, -1.0, pair == POSITIVE);
  return side * (upstream_of(row) * nl_sigmoid(side * logit));
}

@compute @workgroup_size(workgroup_size)
fn rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let row = u.first + r;
  let lane = lane_of(local);
  var sum = 0.0;
  var j = lane.first;
  while (j < u.columns) {
    var block = 0.0;
    for (var k = 0u; k < 32u && j < u.columns; k++) {
      let z = logit_of(products[r * u.columns + j]);
      block += nl_softplus(select(z, -z, pair_of(row, j) == POSITIVE));
      j += lane.step;
    }
    sum += block;
  }
  sum = combine_sum(vec2f(sum, 0.0), local).x;
  if (lane.first == 0u) {
    store_loss(row, sum);
  }
}
