// One row per workgroup, its invocations side by side along the row. For few or long rows on a hardware GPU.
// Which elements of a row an invocation takes.
struct Lane {
  first: u32,
  step: u32,
}

// Apart from the lane, so that compilers see that all of a workgroup share it.
fn row_of(workgroup: vec3u, workgroups: vec3u, local: u32) -> u32 {
  return workgroup.x + workgroup.y * workgroups.x;
}

fn lane_of(local: u32) -> Lane {
  return Lane(local, workgroup_size);
}

var<workgroup> lanes: array<f32, workgroup_size>;

// The largest of all invocations' values, none of them NaN.
fn combine_max(v: f32, local: u32) -> f32 {
  lanes[local] = v;
  workgroupBarrier();
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      lanes[local] = select(lanes[local], lanes[local + half], lanes[local + half] > lanes[local]);
    }
    workgroupBarrier();
  }
  let result = lanes[0];
  workgroupBarrier();
  return result;
}

// The sum of all invocations' values, as a tree.
fn combine_sum(v: f32, local: u32) -> f32 {
  lanes[local] = v;
  workgroupBarrier();
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      lanes[local] += lanes[local + half];
    }
    workgroupBarrier();
  }
  let result = lanes[0];
  workgroupBarrier();
  return result;
}
