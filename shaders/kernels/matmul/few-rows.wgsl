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

// The same slot as in matmul.wgsl.
//#slot line_sums
const summed = 0u;
fn store_line_sums(split: u32, line: u32, sums: vec4f, units: vec4f) {}
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

// The sums of four rows of A from the blocks that a lane takes in turns, times a scale. There are few rows: they are read once more.
fn sum_rows(rows: vec4u, first: u32, end: u32, scale: f32) -> LineSums {
  var sums = LineSums();
  for (var k = first; k < end; k += lanes * 4u) { sums = add_block_to_lines(sums, a_block(rows, k) * scale, u.zero); }
  return sums;
}

// The sums of a lane's columns of B, which were summed on the way, again in units of 2^32.
fn sum_columns_in_units(columns: vec4u, first: u32, end: u32) -> LineSums {
  var sums = LineSums();
  for (var k = first; k < end; k += lanes / column_lanes * 4u) {
    sums = add_block_to_lines(sums, b_block(columns, k) * SUM_UNIT, u.zero);
  }
  return sums;
}

fn merge_lane_lines(lane: u32, other: u32, at: u32) {
  let sums = add_lines(
    LineSums(partial_sums[at][lane], partial_sums[at + 1u][lane]),
    LineSums(partial_sums[at][other], partial_sums[at + 1u][other]),
    u.zero,
  );
  partial_sums[at][lane] = sums.sums;
  partial_sums[at + 1u][lane] = sums.lost;
}

// Adds the sums of four lines over the lanes, as `sum_over_lanes` does the products; the first `kept` lanes store them.
fn store_lane_lines(split: u32, line: u32, lane: u32, kept: u32, sums: LineSums, units: LineSums) {
  partial_sums[0][lane] = sums.sums;
  partial_sums[1][lane] = sums.lost;
  partial_sums[2][lane] = units.sums;
  partial_sums[3][lane] = units.lost;
  workgroupBarrier();
  for (var half = lanes / 2u; half >= kept; half /= 2u) {
    if (lane < half) {
      merge_lane_lines(lane, lane + half, 0u);
      merge_lane_lines(lane, lane + half, 2u);
    }
    workgroupBarrier();
  }
  if (lane < kept) {
    let total = LineSums(partial_sums[0][lane], partial_sums[1][lane]);
    let total_units = LineSums(partial_sums[2][lane], partial_sums[3][lane]);
    store_line_sums(split, line, lines_value(total), lines_value(total_units));
  }
  workgroupBarrier();
}

fn store_row_sums(tile: Tile, row: u32, rows: vec4u, first: u32, end: u32, lane: u32) {
  let sums = sum_rows(rows, first, end, 1.0);
  let leave = lines_leave(sums);
  var units = LineSums();
  if (any(leave)) { units = lines_where(sum_rows(rows, first, end, SUM_UNIT), leave); }
  store_lane_lines(tile.split, row, lane, 1u, lines_where(sums, !leave), units);
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
  let first = start + lane / column_lanes * 4u;
  var upper = Fragment();
  var lower = Fragment();
  var column_sums = LineSums();
  for (var k = first; k < end; k += lanes / column_lanes * 4u) {
    let columns = b_block(b_from, k);
    upper = add_block_products(upper, a_block(upper_from, k), columns);
    if (tall) { lower = add_block_products(lower, a_block(lower_from, k), columns); }
    if (summed == 2u) { column_sums = add_block_to_lines(column_sums, columns, u.zero); }
  }
  let offset = result_offset(tile.batch, tile.split);
  upper = sum_over_lanes(lane, upper);
  if (lane < column_lanes) { store_fragment(offset, 0u, column, upper); }
  if (tall) {
    lower = sum_over_lanes(lane, lower);
    if (lane < column_lanes) { store_fragment(offset, 4u, column, lower); }
  }
  if (summed == 2u) {
    let leave = lines_leave(column_sums);
    var units = LineSums();
    if (any(leave)) { units = lines_where(sum_columns_in_units(b_from, first, end), leave); }
    store_lane_lines(tile.split, column, lane, column_lanes, lines_where(column_sums, !leave), units);
  }
  if (summed == 1u && tile.column == 0u) {
    store_row_sums(tile, 0u, upper_from, start + lane * 4u, end, lane);
    if (tall) { store_row_sums(tile, 4u, lower_from, start + lane * 4u, end, lane); }
  }
}
