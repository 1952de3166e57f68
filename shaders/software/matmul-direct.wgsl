// C = A B for GPUs that are emulated on a CPU. Barriers are expensive there, and the caches of the CPU do the work of
// workgroup memory. An invocation reads its operands directly from memory and computes 8 x 8 results, because each
// load then serves many products. A workgroup computes 32 x 32 results.

//#include "lib/matrices.wgsl"

// The same slot as in kernels/matmul/matmul.wgsl. A `block` is 0 past the last k.
//#slot operands
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
fn a_lines(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn b_lines(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn a_block(lines: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
fn b_block(lines: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
//#end

// The same slot as in kernels/matmul/matmul.wgsl.
//#slot epilogue
struct Params { unused: f32 }
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn store_row(offset: u32, row: u32, column: u32, v: vec4f) { c[(offset + row * u.n + column) / 4u] = v; }
//#end

// The same slot as in kernels/matmul/matmul.wgsl.
//#slot line_sums
const summed = 0u;
fn store_line_sums(split: u32, line: u32, sums: vec4f, units: vec4f) {}
//#end

override tall: bool = true; // whether there are more than four rows

// Stores the sums of four rows of A. Where they are too large, they are summed again in units of 2^32.
fn store_row_sums(row: u32, lines: vec4u, sums: LineSums) {
  let leave = lines_leave(sums);
  var units = LineSums();
  if (any(leave)) {
    for (var k = 0u; k < u.k; k += 4u) { units = add_block_to_lines(units, a_block(lines, k) * SUM_UNIT, u.zero); }
  }
  store_line_sums(0u, row, lines_value(lines_where(sums, !leave)), lines_value(lines_where(units, leave)));
}

@compute @workgroup_size(4, 4)
fn direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let tile = tile_of(workgroup, workgroups, 32u, 32u);
  let row = tile.row + local.y * 8u;
  let column = tile.column + local.x * 8u;
  if (tile.batch >= u.batches || row >= u.m || column >= u.n) {
    return;
  }
  let offsets = operand_offsets(tile.batch);
  let a0 = a_lines(offsets.a, row);
  let a1 = a_lines(offsets.a, row + 4u);
  let b0 = b_lines(offsets.b, column);
  let b1 = b_lines(offsets.b, column + 4u);
  // Each fragment holds the results of four rows and four columns.
  var total00 = Fragment();
  var total01 = Fragment();
  var total10 = Fragment();
  var total11 = Fragment();
  // The invocations of the first columns also sum the rows that they load.
  let sums_rows = summed == 1u && column == 0u;
  var row_sums0 = LineSums();
  var row_sums1 = LineSums();
  var k = 0u;
  while (k < u.k) {
    // Each 32 terms have a sum of their own, so that the rounding error grows with the number of sums, not of terms.
    var sum00 = Fragment();
    var sum01 = Fragment();
    var sum10 = Fragment();
    var sum11 = Fragment();
    let end = min(k + 32u, u.k);
    for (; k < end; k += 4u) {
      let y0 = b_block(b0, k);
      let y1 = b_block(b1, k);
      let x0 = a_block(a0, k);
      sum00 = add_block_products(sum00, x0, y0);
      sum01 = add_block_products(sum01, x0, y1);
      if (sums_rows) { row_sums0 = add_block_to_lines(row_sums0, x0, u.zero); }
      if (tall) {
        let x1 = a_block(a1, k);
        sum10 = add_block_products(sum10, x1, y0);
        sum11 = add_block_products(sum11, x1, y1);
        if (sums_rows) { row_sums1 = add_block_to_lines(row_sums1, x1, u.zero); }
      }
    }
    total00 = add_fragments(total00, sum00);
    total01 = add_fragments(total01, sum01);
    total10 = add_fragments(total10, sum10);
    total11 = add_fragments(total11, sum11);
  }
  let offset = result_offset(tile.batch, 0u);
  store_fragment(offset, row, column, total00);
  store_fragment(offset, row, column + 4u, total01);
  store_fragment(offset, row + 4u, column, total10);
  store_fragment(offset, row + 4u, column + 4u, total11);
  if (sums_rows) {
    store_row_sums(row, a0, row_sums0);
    if (tall) { store_row_sums(row + 4u, a1, row_sums1); }
  }
}
