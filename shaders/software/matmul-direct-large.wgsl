// C = A B for GPUs that are emulated on a CPU, for large products. As matmul-direct.wgsl, except that an invocation computes
// 16 x 16 results: such a GPU loads each number by itself, which takes far longer than a multiply-add. A workgroup computes 32 x 32
// results, and its four invocations run side by side.

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

// Four times four columns of B at four k, and the sums of four rows with them.
alias Blocks = array<mat4x4f, 4>;
alias Strip = array<Fragment, 4>;

// Adds the products of four k to the results of a row. All terms of a sum follow each other, so that it stays in a register.
fn add_terms(sum: vec4f, terms: vec4f, columns: mat4x4f) -> vec4f {
  let first = fma(vec4f(terms.y), columns[1], fma(vec4f(terms.x), columns[0], sum));
  return fma(vec4f(terms.w), columns[3], fma(vec4f(terms.z), columns[2], first));
}

// `rows` has a row of A in each column.
fn add_rows(sums: Fragment, rows: mat4x4f, columns: mat4x4f) -> Fragment {
  return Fragment(
    add_terms(sums.r0, rows[0], columns),
    add_terms(sums.r1, rows[1], columns),
    add_terms(sums.r2, rows[2], columns),
    add_terms(sums.r3, rows[3], columns),
  );
}

fn add_to_strip(s: Strip, block: mat4x4f, columns: Blocks) -> Strip {
  let rows = transpose(block);
  return Strip(
    add_rows(s[0], rows, columns[0]),
    add_rows(s[1], rows, columns[1]),
    add_rows(s[2], rows, columns[2]),
    add_rows(s[3], rows, columns[3]),
  );
}

fn add_strips(x: Strip, y: Strip) -> Strip {
  return Strip(
    add_fragments(x[0], y[0]),
    add_fragments(x[1], y[1]),
    add_fragments(x[2], y[2]),
    add_fragments(x[3], y[3]),
  );
}

// Stores the sums of four rows of A. Where they are too large, they are summed again in units of 2^32.
fn store_row_sums(row: u32, lines: vec4u, sums: LineSums) {
  let leave = lines_leave(sums);
  var units = LineSums();
  if (any(leave)) {
    for (var k = 0u; k < u.k; k += 4u) { units = add_block_to_lines(units, a_block(lines, k) * SUM_UNIT, u.zero); }
  }
  store_line_sums(0u, row, lines_value(lines_where(sums, !leave)), lines_value(lines_where(units, leave)));
}

@compute @workgroup_size(2, 2)
fn direct_large(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let tile = tile_of(workgroup, workgroups, 32u, 32u);
  let row = tile.row + local.y * 16u;
  let column = tile.column + local.x * 16u;
  if (tile.batch >= u.batches || row >= u.m || column >= u.n) {
    return;
  }
  let offsets = operand_offsets(tile.batch);
  let a0 = a_lines(offsets.a, row);
  let a1 = a_lines(offsets.a, row + 4u);
  let a2 = a_lines(offsets.a, row + 8u);
  let a3 = a_lines(offsets.a, row + 12u);
  let b0 = b_lines(offsets.b, column);
  let b1 = b_lines(offsets.b, column + 4u);
  let b2 = b_lines(offsets.b, column + 8u);
  let b3 = b_lines(offsets.b, column + 12u);
  var totals = array<Strip, 4>();
  // The invocations of the first columns also sum the rows that they load.
  let sums_rows = summed == 1u && column == 0u;
  var row_sums = array<LineSums, 4>();
  var k = 0u;
  while (k < u.k) {
    // Each 32 terms have a sum of their own, so that the rounding error grows with the number of sums, not of terms.
    var sums = array<Strip, 4>();
    let end = min(k + 32u, u.k);
    for (; k < end; k += 4u) {
      let columns = Blocks(b_block(b0, k), b_block(b1, k), b_block(b2, k), b_block(b3, k));
      let x0 = a_block(a0, k);
      let x1 = a_block(a1, k);
      let x2 = a_block(a2, k);
      let x3 = a_block(a3, k);
      sums[0] = add_to_strip(sums[0], x0, columns);
      sums[1] = add_to_strip(sums[1], x1, columns);
      sums[2] = add_to_strip(sums[2], x2, columns);
      sums[3] = add_to_strip(sums[3], x3, columns);
      if (sums_rows) {
        row_sums[0] = add_block_to_lines(row_sums[0], x0, u.zero);
        row_sums[1] = add_block_to_lines(row_sums[1], x1, u.zero);
        row_sums[2] = add_block_to_lines(row_sums[2], x2, u.zero);
        row_sums[3] = add_block_to_lines(row_sums[3], x3, u.zero);
      }
    }
    totals[0] = add_strips(totals[0], sums[0]);
    totals[1] = add_strips(totals[1], sums[1]);
    totals[2] = add_strips(totals[2], sums[2]);
    totals[3] = add_strips(totals[3], sums[3]);
  }
  let offset = result_offset(tile.batch, 0u);
  for (var i = 0u; i < 16u; i++) {
    store_fragment(offset, row + i / 4u * 4u, column + i % 4u * 4u, totals[i / 4u][i % 4u]);
  }
  if (sums_rows) {
    store_row_sums(row, a0, row_sums[0]);
    store_row_sums(row + 4u, a1, row_sums[1]);
    store_row_sums(row + 8u, a2, row_sums[2]);
    store_row_sums(row + 12u, a3, row_sums[3]);
  }
}
