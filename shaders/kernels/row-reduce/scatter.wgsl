//#include "lib/grid.wgsl"
// Writes one number a row to the place in the row that an index names; rows are those of [outer, n, inner], along the middle
// dimension. Other elements stay.

override workgroup_size = 256u;

struct Uniforms {
  rows: u32,    // that are bound
  row: u32,     // ahead of them
  n: u32,
  inner: u32,
  first: u32,   // the first element of y that is bound
  count: u32,   // of them
  value_skip: u32, // elements in each binding before those that are meant
  index_skip: u32,
  y_skip: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroup_size)
fn scatter(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let k = invocation_index(grid, local);
  if (k >= u.rows) {
    return;
  }
  let row = u.row + k;
  let at = (row / u.inner * u.n + u32(indices[u.index_skip + k])) * u.inner + row % u.inner;
  // Dispatches for other windows of y write the other rows.
  if (at - u.first < u.count) {
    y[u.y_skip + (at - u.first)] = values[u.value_skip + k];
  }
}
