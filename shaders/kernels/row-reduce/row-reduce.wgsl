//#include "lib/bits.wgsl"
// One result for each row of [outer, n, inner], along the middle dimension. The op gives what is known of a part of a row; the
// rows slot, whether a row, or a chunk of one, is an invocation's or a workgroup's. Few long rows are in chunks: `parts` leaves
// eight bytes for each, and `finish` puts them together.

override workgroup_size = 64u;

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32,        // outer * inner
  chunks: u32,      // of a row
  quads: u32,       // of a row
  chunk_quads: u32, // of a chunk
  first: u32,       // elements of the row ahead of those that are bound
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

//#include "lib/row-blocks.wgsl"

// What is known of a row: an op sets what it has.
struct Result {
  value: f32,
  index: u32,
  row_max: f32,
  log_sum: f32,
}

// The tensors, written by src/kernels/row-reduce/plan.ts: `x`, and where results are stored.
//#slot access
@group(0) @binding(1) var<storage, read> x: array<f32>;
fn store_result(row: u32, v: Result) {}
//#end

@group(0) @binding(2) var<storage, read_write> parts: array<vec2u>;

// `State`, of some elements; `scan`, of a lane's elements; `combine`, of all lanes of a row; `pack_part` and `add_part`, to and
// from eight bytes; `no_elements`; `result_of`.
//#slot op
//#include "kernels/row-reduce/max.wgsl"
//#include "kernels/row-reduce/max-alone.wgsl"
//#end

@compute @workgroup_size(workgroup_size)
fn reduce_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let state = combine(scan(base_of(r), lane_of(0u, local)), local);
  if (lane_index(local) == 0u) {
    store_result(r, result_of(state));
  }
}

@compute @workgroup_size(workgroup_size)
fn reduce_parts(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let state = combine(scan(base_of(at.row), lane_of(at.chunk, local)), local);
  if (lane_index(local) == 0u) {
    parts[unit] = pack_part(state);
  }
}

@compute @workgroup_size(workgroup_size)
fn reduce_finish(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  var state = no_elements();
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    add_part(&state, parts[c * u.rows + r]);
  }
  let all = combine(state, local);
  if (lane_index(local) == 0u) {
    store_result(r, result_of(all));
  }
}
