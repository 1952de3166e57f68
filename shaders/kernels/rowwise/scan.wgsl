//#include "lib/bits.wgsl"
// Ops that go over a row of [outer, n, inner], along the middle dimension, more often than is known ahead: each row is one
// invocation's. The op gives what becomes of a row.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32, // outer * inner
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>; // the input, or the output in `backward_rows`
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;

// Where element i of a row is.
fn at(base: u32, i: u32) -> u32 {
  return base + i * u.inner;
}

//#slot op
//#include "rowwise/sparsemax.wgsl"
//#end

fn base_of(row: u32) -> u32 {
  return (row / u.inner) * u.n * u.inner + row % u.inner;
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r < u.rows) {
    forward_row(base_of(r));
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r < u.rows) {
    backward_row(base_of(r));
  }
}
