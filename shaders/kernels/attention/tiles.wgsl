// requires: Places, counts, grad_quad, infinity, keep, key_quad, keys_of, masked, query_quad, softcapped
// requires: store_grad_key_quad, store_grad_query_quad, store_grad_value_quad, store_new_result_quad, u.columns
// requires: u.grad_key_start, u.grad_query_start, u.grad_value_start, u.keys, u.result_start, u.rows, u.scale
// requires: u.value_columns, value_quad
//#include "lib/fragments.wgsl"
// What both directions share: a workgroup of 128 invocations multiplies tiles of 32 x 32 and 32 x 64 in workgroup memory (12 KiB),
// of which each invocation computes 4 x 4 results. Sums of more rows, with scores beside them, would leave too few registers.

override column_blocks: u32 = 1u; // of query and key, of 64 columns each
override value_blocks: u32 = 1u; // of the value and the result

const lanes = 128u;
const depth = 32u;
const tile_rows = 32u;
const tile_columns = 64u;

// Each block has four rows (of A) or columns (of B) at four values of k, as one vec4f for each k. The first vec4f of all blocks are
// stored together, so that neighbouring lanes access neighbouring memory.
var<workgroup> a_tile: array<array<array<vec4f, 8>, 8>, 4>;
var<workgroup> b_tile: array<array<array<vec4f, 16>, 8>, 4>;

// The sums of an invocation in all blocks of 64 columns.
struct Sums {
  a: Fragment,
  b: Fragment,
  c: Fragment,
  d: Fragment,
}

fn write_a_tile(block: mat4x4f, k: u32, x: u32) {
  a_tile[0][k][x] = block[0];
  a_tile[1][k][x] = block[1];
  a_tile[2][k][x] = block[2];
  a_tile[3][k][x] = block[3];
}

fn write_b_tile(block: mat4x4f, k: u32, x: u32) {
  b_tile[0][k][x] = block[0];
  b_tile[1][k][x] = block[1];
  b_tile[2][k][x] = block[2];
  b_tile[3][k][x] = block[3];
}

// Half a step is short enough that compilers unroll the loop.
fn add_half(sums: Fragment, start: u32, y: u32, x: u32) -> Fragment {
  var next = sums;
  for (var i = 0u; i < depth / 2u; i++) {
    let k = start + i;
    next = add_products(next, a_tile[k % 4u][k / 4u][y], b_tile[k % 4u][k / 4u][x]);
  }
  return next;
}

// Adds the products of what is in the tiles.
fn add_tile(sums: Fragment, y: u32, x: u32) -> Fragment {
  return add_half(add_half(sums, 0u, y, x), depth / 2u, y, x);
}

// Products of which those with a weight of 0 are left out: beside an infinite or NaN element.
fn add_careful(sums: Fragment, weights: vec4f, values: vec4f) -> Fragment {
  let next = add_products(sums, weights, values);
  return Fragment(
    select(sums.r0, next.r0, counts(weights.x)),
    select(sums.r1, next.r1, counts(weights.y)),
    select(sums.r2, next.r2, counts(weights.z)),
    select(sums.r3, next.r3, counts(weights.w)),
  );
}

// Writes the rows that weights are multiplied with, and adds the products.
fn add_weighted(before: Fragment, block: mat4x4f, y: u32, x: u32, careful: bool) -> Fragment {
  write_b_tile(block, y, x);
  workgroupBarrier();
  var sums = before;
  if (careful) {
    for (var k = 0u; k < depth; k++) {
      sums = add_careful(sums, a_tile[k % 4u][k / 4u][y], b_tile[k % 4u][k / 4u][x]);
    }
  } else {
    sums = add_tile(sums, y, x);
  }
  workgroupBarrier();
  return sums;
}

// Of 64 columns of a fragment half become rows of the tile.
fn write_half(f: Fragment, half: u32, y: u32, x: u32) {
  if (x / 8u == half) {
    write_a_tile(transpose(mat4x4f(f.r0, f.r1, f.r2, f.r3)), x % 8u, y);
  }
}

fn is_wrong(f: Fragment) -> bool {
  let bits = vec4u(0x7f800000u);
  return any((bitcast<vec4u>(f.r0) & bits) == bits) | any((bitcast<vec4u>(f.r1) & bits) == bits)
    | any((bitcast<vec4u>(f.r2) & bits) == bits) | any((bitcast<vec4u>(f.r3) & bits) == bits);
}

fn are_wrong(sums: Sums) -> bool {
  return is_wrong(sums.a) | is_wrong(sums.b) | is_wrong(sums.c) | is_wrong(sums.d);
}

fn combine(x: vec4f, y: vec4f, adds: bool) -> vec4f {
  return select(max(x, y), x + y, adds);
}

// The maxima, or sums, of rows over the 16 invocations that share them.
fn over_lanes(v: vec4f, lane: u32, y: u32, x: u32, adds: bool) -> vec4f {
  a_tile[x / 8u][x % 8u][y] = v;
  workgroupBarrier();
  if (lane < 16u) {
    let block = lane % 8u;
    let half = lane / 8u;
    var total = a_tile[half][0][block];
    for (var i = 1u; i < 8u; i++) { total = combine(total, a_tile[half][i][block], adds); }
    a_tile[2][half][block] = total;
  }
  workgroupBarrier();
  let total = combine(a_tile[2][0][y], a_tile[2][1][y], adds);
  // The tile may be written again.
  workgroupBarrier();
  return total;
}

// Whether it is so for any invocation of the workgroup.
fn any_lane(found: bool, lane: u32, y: u32, x: u32) -> bool {
  let some = over_lanes(vec4f(select(0.0, 1.0, found)), lane, y, x, false);
  if (x == 0u) { a_tile[3][0][y] = some; }
  workgroupBarrier();
  if (lane == 0u) {
    for (var k = 1u; k < 8u; k++) { a_tile[3][0][0] = max(a_tile[3][0][0], a_tile[3][0][k]); }
  }
  return workgroupUniformLoad(&a_tile[3][0][0]).x > 0.0;
}

// Which matrix a function is about. It is a constant wherever it is given, so that compilers keep one case of each.
const of_query = 0u;
const of_key = 1u;
const of_value = 2u;
const of_result = 3u; // or of the upstream gradient, which has its shape

fn rows_in(which: u32) -> u32 {
  return select(u.rows, u.keys, which == of_key || which == of_value);
}

fn columns_in(which: u32) -> u32 {
  return select(u.columns, u.value_columns, which >= of_value);
}

fn blocks_in(which: u32) -> u32 {
  return select(column_blocks, value_blocks, which >= of_value);
}

fn quad_of(which: u32, at: Places, row: u32, q: u32) -> vec4f {
  let start = min(row, rows_in(which) - 1u) * columns_in(which);
  switch which {
    case of_query: { return query_quad(at.query + start, q); }
    case of_key: { return key_quad(at.key + start, q); }
    case of_value: { return value_quad(at.value + start, q); }
    default: { return grad_quad(at.result + start, q); }
  }
}

// Four rows at four columns; columns past the last are 0.
fn block_of(which: u32, at: Places, row: u32, q: u32) -> mat4x4f {
  let columns = columns_in(which);
  let column = min(q, (max(columns, 1u) - 1u) / 4u);
  let there = q * 4u < columns;
  return mat4x4f(
    select(vec4f(), quad_of(which, at, row, column), there),
    select(vec4f(), quad_of(which, at, row + 1u, column), there),
    select(vec4f(), quad_of(which, at, row + 2u, column), there),
    select(vec4f(), quad_of(which, at, row + 3u, column), there),
  );
}

// Products of rows of one matrix, from `first` on, with rows of another, from `second` on: four of each.
fn products_of(one: u32, other: u32, at: Places, first: u32, second: u32, y: u32, x: u32) -> Fragment {
  var sums = Fragment();
  for (var c = 0u; c < columns_in(one); c += depth) {
    if (x < 8u) { write_a_tile(transpose(block_of(one, at, first + x * 4u, c / 4u + y)), y, x); }
    write_b_tile(transpose(block_of(other, at, second + x * 4u, c / 4u + y)), y, x);
    workgroupBarrier();
    sums = add_tile(sums, y, x);
    workgroupBarrier();
  }
  return sums;
}

// Adds rows of a matrix, from `first` on, 64 of them, each as often as the weights say: those of this invocation and of all others.
fn add_rows(before: Sums, weights: Fragment, which: u32, at: Places, first: u32, y: u32, x: u32, careful: bool) -> Sums {
  var sums = before;
  let blocks = blocks_in(which);
  for (var half = 0u; half < 2u; half++) {
    write_half(weights, half, y, x);
    let row = first + half * depth + y * 4u;
    sums.a = add_weighted(sums.a, block_of(which, at, row, x), y, x, careful);
    if (blocks > 1u) { sums.b = add_weighted(sums.b, block_of(which, at, row, x + 16u), y, x, careful); }
    if (blocks > 2u) { sums.c = add_weighted(sums.c, block_of(which, at, row, x + 32u), y, x, careful); }
    if (blocks > 3u) { sums.d = add_weighted(sums.d, block_of(which, at, row, x + 48u), y, x, careful); }
  }
  return sums;
}

fn store_quad(which: u32, index: u32, q: u32, v: vec4f) {
  let start = index * columns_in(which);
  switch which {
    case of_query: { store_grad_query_quad(start - u.grad_query_start, q, v); }
    case of_key: { store_grad_key_quad(start - u.grad_key_start, q, v); }
    case of_value: { store_grad_value_quad(start - u.grad_value_start, q, v); }
    default: { store_new_result_quad(start - u.result_start, q, v); }
  }
}

fn store_block(which: u32, f: Fragment, index: u32, row: u32, q: u32) {
  if (q * 4u < columns_in(which)) {
    for (var r = 0u; r < min(4u, max(row, rows_in(which)) - row); r++) {
      store_quad(which, index + r, q, row_of(f, r));
    }
  }
}

// Stores the sums in four rows of the result, or of the gradient of that matrix; `index` is that of the first among all batches.
fn store_rows(which: u32, sums: Sums, index: u32, row: u32, x: u32) {
  let blocks = blocks_in(which);
  store_block(which, sums.a, index, row, x);
  if (blocks > 1u) { store_block(which, sums.b, index, row, x + 16u); }
  if (blocks > 2u) { store_block(which, sums.c, index, row, x + 32u); }
  if (blocks > 3u) { store_block(which, sums.d, index, row, x + 48u); }
}

fn masked_quad(s: vec4f, start: u32, row: vec4u, key: vec4u) -> vec4f {
  return vec4f(
    masked(s.x, start, row.x, key.x),
    masked(s.y, start, row.y, key.y),
    masked(s.z, start, row.z, key.z),
    masked(s.w, start, row.w, key.w),
  );
}

// The scores of a row and four keys; `inside`: the row attends to all keys of the tile, but for its mask.
fn finished(products: vec4f, at: Places, row: u32, key: u32, inside: bool) -> vec4f {
  let capped = softcapped(products * u.scale);
  let j = vec4u(key) + vec4u(0u, 1u, 2u, 3u);
  let s = masked_quad(capped, at.mask, vec4u(min(row, u.rows - 1u)), min(j, vec4u(u.keys - 1u)));
  if (inside) {
    return s;
  }
  let span = keys_of(row);
  return select(vec4f(-infinity()), s, (j >= vec4u(span.first)) & (j < vec4u(span.last)));
}

fn sum_of(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn kept_of(key: u32, index: u32) -> vec4f {
  return vec4f(keep(key, index), keep(key + 1u, index), keep(key + 2u, index), keep(key + 3u, index));
}
