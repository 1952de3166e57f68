//#include "lib/bits.wgsl"
//#include "lib/grid.wgsl"
//#include "lib/log.wgsl"
// requires: event, factor_of, first_of, grads, last_of, losses, order, risk, shares, u.n, weight_of, workgroup_size, x
// The loss of each position, or its gradient: the share that e^x has of the sums over who is at risk, less 1 for an event.
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
