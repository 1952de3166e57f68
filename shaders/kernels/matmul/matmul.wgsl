// C = A B for matrices given by strides, so that a transposed operand is read in place; batches broadcast. A
// workgroup of 128 invocations computes a tile of 64 x 64 results, 8 x 4 per invocation, or of 32 x 64 if there are
// at most 32 rows. It advances along k in steps of 32. For each step the rows of A and columns of B are copied to
// workgroup memory; while they are multiplied, each invocation already loads its share of the next step into
// registers.

//#include "lib/matrices.wgsl"

// How the operands are read. src/kernels/matmul/access.ts writes this slot, with vec4 loads where strides and sizes
// allow them. A lane handles four lines: four rows of A or four columns of B. `load` reads four values of k of these
// lines in the layout of memory. `by_k` rearranges them, so that each column of the matrix holds the four lines at
// one k. Lines and k past the edge of a matrix are clamped to the edge.
//#slot operands
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
fn a_lines(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn b_lines(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn a_load(lines: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
fn b_load(lines: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
fn a_by_k(loaded: mat4x4f) -> mat4x4f { return loaded; }
fn b_by_k(loaded: mat4x4f) -> mat4x4f { return loaded; }
//#end

// How results are stored, with bias and activation in a linear layer. src/kernels/matmul/access.ts writes this slot.
// `store_row` gets four results of a row, beginning at a column; the row may end before the fourth.
//#slot epilogue
struct Params { unused: f32 }
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn store_row(offset: u32, row: u32, column: u32, v: vec4f) { c[(offset + row * u.n + column) / 4u] = v; }
//#end

// Where the sums of the lines of an operand go, if they are wanted: 0, or 1 for the rows of A, 2 for the columns of B.
// src/kernels/matmul/access.ts writes this slot. `units` are sums of 2^32.
//#slot line_sums
const summed = 0u;
fn store_line_sums(split: u32, line: u32, sums: vec4f, units: vec4f) {}
//#end

override tall: bool = true; // whether there are more than 32 rows

const depth = 32u;
const lanes = 128u;
const tile_columns = 64u;

// Each lane copies one 4 x 4 block: four rows of A, or columns of B, at four values of k, as one vec4f for each k. A
// tile has 8 x 16 blocks, 8 along k and 16 along the lines. The first vec4f of all blocks are stored together, then
// the second of all blocks, and so on, so that neighbouring lanes access neighbouring memory.
const blocks = 16u;
var<workgroup> a_tile: array<array<array<vec4f, blocks>, depth / 4u>, 4>;
var<workgroup> b_tile: array<array<array<vec4f, blocks>, depth / 4u>, 4>;

// The sums of an invocation: eight rows of four columns. Only a tall tile uses the lower four rows.
struct Accumulator {
  upper: Fragment,
  lower: Fragment,
}

fn add_accumulators(sums: Accumulator, others: Accumulator) -> Accumulator {
  return Accumulator(add_fragments(sums.upper, others.upper), add_fragments(sums.lower, others.lower));
}

fn write_tiles(rows: mat4x4f, columns: mat4x4f, y: u32, x: u32) {
  a_tile[0][y][x] = rows[0];
  a_tile[1][y][x] = rows[1];
  a_tile[2][y][x] = rows[2];
  a_tile[3][y][x] = rows[3];
  b_tile[0][y][x] = columns[0];
  b_tile[1][y][x] = columns[1];
  b_tile[2][y][x] = columns[2];
  b_tile[3][y][x] = columns[3];
}

// Adds the products at one k of the tiles.
fn add_step(sums: Accumulator, k: u32, y: u32, x: u32) -> Accumulator {
  let columns = b_tile[k % 4u][k / 4u][x];
  var next = Accumulator(add_products(sums.upper, a_tile[k % 4u][k / 4u][y], columns), sums.lower);
  if (tall) { next.lower = add_products(sums.lower, a_tile[k % 4u][k / 4u][y + 8u], columns); }
  return next;
}

// Adds the products of half a step. Half a step is short enough that compilers unroll the loop.
fn add_half(sums: Accumulator, start: u32, y: u32, x: u32) -> Accumulator {
  var next = sums;
  for (var k = 0u; k < depth / 2u; k++) { next = add_step(next, start + k, y, x); }
  return next;
}

// Sums that became too large, again in units of 2^32: of an invocation's blocks of A.
fn sum_rows_in_units(rows: vec4u, first: u32, end: u32) -> LineSums {
  var sums = LineSums();
  for (var k = first; k < end; k += depth) {
    sums = add_block_to_lines(sums, within_k(a_by_k(a_load(rows, k)), k) * SUM_UNIT, u.zero);
  }
  return sums;
}

// Stores the sums of the rows of A, of which each invocation has those of four rows at some k: those of the same rows
// are added in workgroup memory, where the tiles were.
fn store_row_sums(split: u32, row: u32, sums: LineSums, units: LineSums, y: u32, x: u32) {
  workgroupBarrier();
  a_tile[0][y][x] = sums.sums;
  a_tile[1][y][x] = sums.lost;
  a_tile[2][y][x] = units.sums;
  a_tile[3][y][x] = units.lost;
  workgroupBarrier();
  if (y == 0u) {
    var total = sums;
    var total_units = units;
    for (var i = 1u; i < depth / 4u; i++) {
      total = add_lines(total, LineSums(a_tile[0][i][x], a_tile[1][i][x]), u.zero);
      total_units = add_lines(total_units, LineSums(a_tile[2][i][x], a_tile[3][i][x]), u.zero);
    }
    store_line_sums(split, row + x * 4u, lines_value(total), lines_value(total_units));
  }
}

@compute @workgroup_size(lanes)
fn tiled(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tile_of(workgroup, workgroups, select(32u, 64u, tall), tile_columns);
  if (tile.batch >= u.batches) {
    return;
  }
  // An invocation computes the results of four rows from 4 y and four rows from 4 y + 32, at four columns from 4 x.
  let x = lane % 16u;
  let y = lane / 16u;
  // It copies four lines of the operands from 4 x, at four values of k from 4 y.
  let lane_k = y * 4u;
  let offsets = operand_offsets(tile.batch);
  let a_from = a_lines(offsets.a, tile.row + x * 4u);
  let b_from = b_lines(offsets.b, tile.column + x * 4u);
  let start = tile.split * u.split_terms;
  let end = min(start + u.split_terms, u.k);
  var a_next = a_load(a_from, start + lane_k);
  var b_next = b_load(b_from, start + lane_k);
  var totals = Accumulator();
  // The workgroups of the first column of tiles also sum the rows that they load.
  let sums_rows = summed == 1u && tile.column == 0u;
  var row_sums = LineSums();
  var k = start;
  for (; k + depth <= end; k += depth) {
    let rows = a_by_k(a_next);
    write_tiles(rows, b_by_k(b_next), y, x);
    if (sums_rows) { row_sums = add_block_to_lines(row_sums, rows, u.zero); }
    workgroupBarrier();
    a_next = a_load(a_from, k + depth + lane_k);
    b_next = b_load(b_from, k + depth + lane_k);
    // Each step of 32 terms has a sum of its own, so that the rounding error grows with the number of sums, not of
    // terms.
    totals = add_accumulators(totals, add_half(add_half(Accumulator(), 0u, y, x), depth / 2u, y, x));
    workgroupBarrier();
  }
  // The remaining terms, fewer than a full step.
  if (k < end) {
    let rows = a_by_k(a_next);
    write_tiles(rows, b_by_k(b_next), y, x);
    if (sums_rows) { row_sums = add_block_to_lines(row_sums, within_k(rows, k + lane_k), u.zero); }
    workgroupBarrier();
    var sums = Accumulator();
    for (var i = 0u; i < end - k; i++) { sums = add_step(sums, i, y, x); }
    totals = add_accumulators(totals, sums);
  }
  let offset = result_offset(tile.batch, tile.split);
  store_fragment(offset, tile.row + y * 4u, tile.column + x * 4u, totals.upper);
  if (tall) { store_fragment(offset, tile.row + 32u + y * 4u, tile.column + x * 4u, totals.lower); }
  if (sums_rows) {
    let leave = lines_leave(row_sums);
    var units = LineSums();
    if (any(leave)) { units = lines_where(sum_rows_in_units(a_from, start + lane_k, end), leave); }
    store_row_sums(tile.split, tile.row, lines_where(row_sums, !leave), units, y, x);
  }
}
