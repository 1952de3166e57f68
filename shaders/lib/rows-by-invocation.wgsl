//#include "lib/grid.wgsl"
// One invocation computes a row, or a chunk of a row, without barriers. It is for short rows, for rows along a dimension that
// is not the last one, where neighbouring invocations read neighbouring columns, and for software adapters.
const shared_row = false;

fn unit_of(workgroup: vec3u, workgroups: vec3u, local: u32) -> u32 {
  return invocation_index(Grid(workgroup, workgroups), local);
}

fn lane_index(local: u32) -> u32 {
  return 0u;
}

fn lanes() -> u32 {
  return 1u;
}

fn combine_max(v: f32, local: u32) -> f32 {
  return v;
}

fn combine_sum(v: vec2f, local: u32) -> vec2f {
  return v;
}

fn combine_sum_max(v: vec2f, local: u32) -> vec2f {
  return v;
}
