//#include "lib/grid.wgsl"
// requires: workgroup_size
// One workgroup computes a row, or a chunk of a row: its invocations read neighbouring quads. It is for rows on a real GPU.
const shared_row = true;

// It does not depend on `local`, so that compilers see that it is the same for the whole workgroup, as barriers need.
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

// The largest value of all invocations. None of them may be NaN.
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

// The sums of the values of all invocations, added in pairs, as a tree.
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

// The sum of the first values of all invocations, and the largest of their second values, none of which may be NaN.
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
