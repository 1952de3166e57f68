//#include "kernels/norm/backward.wgsl"
// requires: Block, Grid, block_quads, grad_output_full, grad_output_last, in_registers, kept_row, lane_of, own_of
// requires: padded, place_of, start_of, store_y_full, store_y_last, u.chunks, u.rows, unit_of, workgroup_size
// The gradient of x in rows whose mean and variance are given: they do not depend on x, so each element has its own.

@compute @workgroup_size(workgroup_size)
fn backward_given(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = start_of(at.row);
  let lane = lane_of(at.chunk, local);
  let s = slopes_of(kept_row(at.row), own_of(at.row));
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      store_y_full(base, q, scaled(grad_output_full(base, q), s));
      q += lane.step;
    }
  }
  if (padded) {
    let g = grad_output_last(base, lane);
    store_y_last(base, lane, Block(scaled(g.a, s), scaled(g.b, s), scaled(g.c, s), scaled(g.d, s)));
  }
}
