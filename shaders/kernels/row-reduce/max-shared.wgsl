// requires: State, better, workgroup_size
// The largest element of a row whose parts the invocations of a workgroup have.
var<workgroup> lane_states: array<State, workgroup_size>;

fn combine(own: State, local: u32) -> State {
  lane_states[local] = own;
  workgroupBarrier();
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      lane_states[local] = better(lane_states[local], lane_states[local + half]);
    }
    workgroupBarrier();
  }
  return lane_states[0];
}
