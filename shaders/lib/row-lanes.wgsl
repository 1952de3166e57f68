// requires: combine_sum, lane_index, lanes, unit_of
// For kernels that go over a row element by element: which elements an invocation takes, and one sum over all of them. The
// `rows` slot says whether a row is an invocation's or a workgroup's.
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
