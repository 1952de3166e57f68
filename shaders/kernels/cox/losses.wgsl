//#include "lib/grid.wgsl"
//#include "lib/log.wgsl"
// requires: event, last_of, losses, order, risk, u.n, workgroup_size, x
// The loss of each position: the logarithm of the sum over who is at risk, less its own.
@compute @workgroup_size(workgroup_size)
fn loss(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let k = invocation_index(grid, local);
  if (k >= u.n) {
    return;
  }
  let i = order[k].y;
  let sum = risk[last_of(k)];
  losses[i] = select(0.0, (sum.x - x[i]) + nl_log(sum.y), event[i] != 0);
}
