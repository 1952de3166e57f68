// requires: workgroup_size
// The workgroups of a dispatch. As WebGPU limits each dimension of a dispatch, many workgroups are laid out in two
// dimensions. They are counted along x first, then along y.
struct Grid {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
}

fn invocation_index(grid: Grid, local: u32) -> u32 {
  return (grid.workgroup.x + grid.workgroup.y * grid.workgroups.x) * workgroup_size + local;
}
