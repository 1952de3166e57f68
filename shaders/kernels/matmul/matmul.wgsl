// C = A B for matrices given by strides, so that a transposed operand is read in place; batches broadcast. A workgroup of 128
// invocations computes a tile of 64 x 64 results, 8 x 4 an invocation, or of 32 x 64 where there are no more rows. It goes
// along k in steps of 32: the rows of A and columns of B that the tile needs are copied to workgroup memory, and while they
// are multiplied, each invocation loads its share of the next step into registers.

//#include "lib/matrices.wgsl"

// How the operands are read: src/kernels/matmul/access.ts writes this slot, with vec4 loads where strides and sizes allow. Four
// lines are four rows of A or four columns of B. `load` reads what they have at four k as it is in memory; `by_k` turns that
// into a block, whose columns each hold the four lines at one k. Lines and k past an edge read what is at the edge.
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

// What becomes of results, a bias and an activation for a linear layer, and the options of the activation:
// src/kernels/matmul/access.ts writes this slot. `store_row` gets results of a row from a column on, of which the row may
// have less than four.
//#slot epilogue
struct Params { unused: f32 }
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn store_row(offset: u32, row: u32, column: u32, v: vec4f) { c[(offset + row * u.n + column) / 4u] = v; }
//#end

override tall: bool = true; // more than 32 rows

const depth = 32u;
const lanes = 128u;
const tile_columns = 64u;

// A lane copies a block: four rows of A, or columns of B, at four k, in a vec4f for each k. The tiles are of 8 x 16 blocks,
// by k and by lines. What a block has at its first k lies together for all blocks, and so on: lanes side by side write, and
// read, side by side.
const blocks = 16u;
var<workgroup> a_tile: array<array<array<vec4f, blocks>, depth / 4u>, 4>;
var<workgroup> b_tile: array<array<array<vec4f, blocks>, depth / 4u>, 4>;

// The sums of an invocation: eight rows of four columns, of which the lower four rows are there in a tall tile only.
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

// Adds the products of half a step: so few that compilers unroll the loop.
fn add_half(sums: Accumulator, start: u32, y: u32, x: u32) -> Accumulator {
  var next = sums;
  for (var k = 0u; k < depth / 2u; k++) { next = add_step(next, start + k, y, x); }
  return next;
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
  // Of the results, an invocation computes rows 4 y and 4 y + 32 on, columns 4 x on.
  let x = lane % 16u;
  let y = lane / 16u;
  // Of the operands, it copies lines 4 x on, at k from 4 y on.
  let lane_k = y * 4u;
  let offsets = operand_offsets(tile.batch);
  let a_from = a_lines(offsets.a, tile.row + x * 4u);
  let b_from = b_lines(offsets.b, tile.column + x * 4u);
  let start = tile.split * u.split_terms;
  let end = min(start + u.split_terms, u.k);
  var a_next = a_load(a_from, start + lane_k);
  var b_next = b_load(b_from, start + lane_k);
  var totals = Accumulator();
  var k = start;
  for (; k + depth <= end; k += depth) {
    write_tiles(a_by_k(a_next), b_by_k(b_next), y, x);
    workgroupBarrier();
    a_next = a_load(a_from, k + depth + lane_k);
    b_next = b_load(b_from, k + depth + lane_k);
    // Sums of 32 terms, so that the error grows with the number of sums, not of terms.
    totals = add_accumulators(totals, add_half(add_half(Accumulator(), 0u, y, x), depth / 2u, y, x));
    workgroupBarrier();
  }
  // The last terms, of less than a step.
  if (k < end) {
    write_tiles(a_by_k(a_next), b_by_k(b_next), y, x);
    workgroupBarrier();
    var sums = Accumulator();
    for (var i = 0u; i < end - k; i++) { sums = add_step(sums, i, y, x); }
    totals = add_accumulators(totals, sums);
  }
  let offset = result_offset(tile.batch, tile.split);
  store_fragment(offset, tile.row + y * 4u, tile.column + x * 4u, totals.upper);
  if (tall) { store_fragment(offset, tile.row + 32u + y * 4u, tile.column + x * 4u, totals.lower); }
}
