// requires: Grid, lane_of, row_grad, row_loss, row_of, store_loss, u.n, u.rows, upstream_of, with_grad
// requires: workgroup_size
// The entry point of margin-loss.wgsl that computes the losses and gradients of rows.
@compute @workgroup_size(workgroup_size)
fn rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let lane = lane_of(local);
  let base = r * u.n;
  let loss = row_loss(r, base, lane, local);
  if (lane.first == 0u) {
    store_loss(r, loss);
  }
  if (with_grad) {
    row_grad(r, base, upstream_of(r), lane, local);
  }
}
