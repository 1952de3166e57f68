//#include "lib/grid.wgsl"
// requires: workgroup_size
// One row, or chunk of a row, per workgroup, its invocations side by side along it. For rows on a hardware GPU.
const shared_row = true;

// Apart from the lane, so that compilers see that all of a workgroup share it.
fn unit_of(workgroup: vec3u, workgroups: vec3u, local: u32) -> u32 {
  return workgroup.x + workgroup.y * workgroups.x;
}

fn lane_index(local: u32) -> u32 {
  return local;
}

fn lanes() -> u32 {
  return workgroup_size;
}

var<workgroup> lane_values: array<vec2f, workgroup_size>;

// The largest of all invocations' values, none of them NaN.
fn combine_max(v: f32, local: u32) -> f32 {
  lane_values[local].x = v;
  workgroupBarrier();
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      let other = lane_values[local + half].x;
      lane_values[local].x = select(lane_values[local].x, other, other > lane_values[local].x);
    }
    workgroupBarrier();
  }
  let result = lane_values[0].x;
  workgroupBarrier();
  return result;
}

// The sums of all invocations' values, as a tree.
fn combine_sum(v: vec2f, local: u32) -> vec2f {
  lane_values[local] = v;
  workgroupBarrier();
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      lane_values[local] += lane_values[local + half];
    }
    workgroupBarrier();
  }
  let result = lane_values[0];
  workgroupBarrier();
  return result;
}

// The sum of all invocations' first values, and the largest of the second, none of them NaN.
fn combine_sum_max(v: vec2f, local: u32) -> vec2f {
  lane_values[local] = v;
  workgroupBarrier();
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      let other = lane_values[local + half];
      let own = lane_values[local];
      lane_values[local] = vec2f(own.x + other.x, max(own.y, other.y));
    }
    workgroupBarrier();
  }
  let result = lane_values[0];
  workgroupBarrier();
  return result;
}
