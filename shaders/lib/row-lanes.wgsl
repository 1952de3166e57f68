// requires: combine_sum, lane_index, lanes, unit_of
// For kernels that read rows element by element: which elements of a row an invocation reads, and a sum over all of them.
// The `rows` slot decides whether one invocation or one workgroup computes a row.
struct Lane {
  first: u32,
  step: u32,
}

fn row_of(workgroup: vec3u, workgroups: vec3u, local: u32) -> u32 {
  return unit_of(workgroup, workgroups, local);
}

fn lane_of(local: u32) -> Lane {
  return Lane(lane_index(local), lanes());
}

fn combine_one(v: f32, local: u32) -> f32 {
  return combine_sum(vec2f(v, 0.0), local).x;
}
