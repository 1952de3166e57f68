//#include "kernels/norm/forward.wgsl"
// requires: Grid, given_row, lane_index, lane_of, own_of, place_of, start_of, store_row, u.chunks, u.rows, unit_of
// requires: workgroup_size
// Results of rows whose mean and variance are given: no sums, so each chunk is by itself.

@compute @workgroup_size(workgroup_size)
fn forward_given(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = start_of(at.row);
  let lane = lane_of(at.chunk, local);
  let row = given_row(at.row);
  if (at.chunk == 0u && lane_index(local) == 0u) {
    store_row(at.row, row);
  }
  write(base, lane, last_of(base, lane), row, own_of(at.row));
}
