//#include "lib/bits.wgsl"
// Ops that read a row several times, how often depends on its elements. A row is the middle dimension of [outer, n, inner].
// One invocation computes each row, by the op's own function.

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
@group(0) @binding(1) var<storage, read> x: array<f32>; // the input; in `backward_rows` the result
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;

// The index of element i of a row.
fn at(base: u32, i: u32) -> u32 {
  return base + i * u.inner;
}

// The largest element of a row, and whether the row has no result, as it holds NaN or +Inf.
struct RowMax {
  max: f32,
  bad: bool,
}

fn row_max_of(base: u32) -> RowMax {
  var row = RowMax(-0x1.fffffep+127f, false);
  for (var i = 0u; i < u.n; i++) {
    let v = x[at(base, i)];
    row.bad |= is_nan(v) | (is_inf(v) & (v > 0.0));
    row.max = select(row.max, v, v > row.max);
  }
  return row;
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
