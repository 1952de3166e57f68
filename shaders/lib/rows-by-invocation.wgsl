// One row per invocation: no barrier, and neighbours read neighbouring columns. For short rows, and software adapters.
// Which elements of a row an invocation takes.
struct Lane {
  first: u32,
  step: u32,
}

fn row_of(workgroup: vec3u, workgroups: vec3u, local: u32) -> u32 {
  return (workgroup.x + workgroup.y * workgroups.x) * workgroup_size + local;
}

fn lane_of(local: u32) -> Lane {
  return Lane(0u, 1u);
}

fn combine_max(v: f32, local: u32) -> f32 {
  return v;
}

fn combine_sum(v: f32, local: u32) -> f32 {
  return v;
}
