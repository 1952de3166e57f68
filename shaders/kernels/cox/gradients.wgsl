//#include "lib/bits.wgsl"
//#include "lib/grid.wgsl"
// requires: event, factor_of, first_of, grads, nl_exp_times, order, shares, u.n, weight_of, workgroup_size, x
// The gradient of each position: the share that e^x has of the sums over who is at risk, less 1 for an event.
@compute @workgroup_size(workgroup_size)
fn gradient(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let k = invocation_index(grid, local);
  if (k >= u.n) {
    return;
  }
  let i = order[k].y;
  let share = shares[first_of(k)];
  let own = select(0.0, weight_of(i), event[i] != 0);
  // Before the first event there is no share of it, also for an infinite hazard.
  let part = select(nl_exp_times(share.y, x[i] + share.x, 0.0), 0.0, share.y == 0.0);
  // Of an infinite hazard: as Inf / Inf.
  let open = (x[i] > 0.0) & is_inf(x[i]) & (share.y != 0.0);
  grads[i] = select((part - own) * factor_of(), nan(), open);
}
