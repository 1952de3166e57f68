// C = A B where A has at most eight rows (or B as many columns, for which the planner exchanges the operands). Each
// element of B takes part in few products, so memory bandwidth is the limit: B is read once, directly into registers,
// and neighbouring lanes read neighbouring memory. A workgroup computes all rows of a few columns. Its lanes divide
// the k terms among them, and their partial sums are added in workgroup memory.

//#include "lib/matrices.wgsl"

// The same slot as in matmul.wgsl.
//#slot operands
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
fn a_lines(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn b_lines(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn a_block(lines: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
fn b_block(lines: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
//#end

// The same slot as in matmul.wgsl.
//#slot epilogue
struct Params { unused: f32 }
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn store_row(offset: u32, row: u32, column: u32, v: vec4f) { c[(offset + row * u.n + column) / 4u] = v; }
//#end

override tall: bool = true; // whether there are more than four rows
// The number of lanes side by side along the columns, a power of two. Each has four columns.
override column_lanes: u32 = 1u;

const lanes = 128u;

// The partial sums of each lane: for each of four rows, a vec4 of four columns.
var<workgroup> partial_sums: array<array<vec4f, lanes>, 4>;

fn add_lanes(lane: u32, other: u32) {
  partial_sums[0][lane] += partial_sums[0][other];
  partial_sums[1][lane] += partial_sums[1][other];
  partial_sums[2][lane] += partial_sums[2][other];
  partial_sums[3][lane] += partial_sums[3][other];
}

// Adds the partial sums of all lanes that have the same columns. Only the first `column_lanes` lanes get the totals.
fn sum_over_lanes(lane: u32, sums: Fragment) -> Fragment {
  partial_sums[0][lane] = sums.r0;
  partial_sums[1][lane] = sums.r1;
  partial_sums[2][lane] = sums.r2;
  partial_sums[3][lane] = sums.r3;
  workgroupBarrier();
  for (var half = lanes / 2u; half >= column_lanes; half /= 2u) {
    if (lane < half) { add_lanes(lane, lane + half); }
    workgroupBarrier();
  }
  let total = Fragment(partial_sums[0][lane], partial_sums[1][lane], partial_sums[2][lane], partial_sums[3][lane]);
  workgroupBarrier();
  return total;
}

@compute @workgroup_size(lanes)
fn few_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tile_of(workgroup, workgroups, 8u, 4u * column_lanes);
  if (tile.batch >= u.batches) {
    return;
  }
  let column = tile.column + lane % column_lanes * 4u;
  let offsets = operand_offsets(tile.batch);
  let upper_from = a_lines(offsets.a, 0u);
  let lower_from = a_lines(offsets.a, 4u);
  let b_from = b_lines(offsets.b, column);
  let start = tile.split * u.split_terms;
  let end = min(start + u.split_terms, u.k);
  var upper = Fragment();
  var lower = Fragment();
  for (var k = start + lane / column_lanes * 4u; k < end; k += lanes / column_lanes * 4u) {
    let columns = b_block(b_from, k);
    upper = add_block_products(upper, a_block(upper_from, k), columns);
    if (tall) { lower = add_block_products(lower, a_block(lower_from, k), columns); }
  }
  let offset = result_offset(tile.batch, tile.split);
  upper = sum_over_lanes(lane, upper);
  if (lane < column_lanes) { store_fragment(offset, 0u, column, upper); }
  if (tall) {
    lower = sum_over_lanes(lane, lower);
    if (lane < column_lanes) { store_fragment(offset, 4u, column, lower); }
  }
}
