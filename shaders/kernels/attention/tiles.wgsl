// requires: Places, counts, grad_quad, infinity, keep, key_quad, keys_of, masked, query_quad, softcapped, u.columns
// requires: u.keys, u.rows, u.scale, u.value_columns, value_quad
//#include "lib/fragments.wgsl"
// What both directions share: a workgroup of 128 invocations multiplies tiles of 32 x 32 and 32 x 64 in workgroup memory (12 KiB),
// of which each invocation computes 4 x 4 results. Sums of more rows, with scores beside them, would leave too few registers.

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

fn quad_there(v: vec4f, q: u32, columns: u32) -> vec4f {
  return select(vec4f(), v, q * 4u < columns);
}

// Four rows at four columns; columns past the last are 0.
fn query_block(at: Places, row: u32, q: u32) -> mat4x4f {
  let column = min(q, (max(u.columns, 1u) - 1u) / 4u);
  return mat4x4f(
    quad_there(query_quad(at.query + min(row, u.rows - 1u) * u.columns, column), q, u.columns),
    quad_there(query_quad(at.query + min(row + 1u, u.rows - 1u) * u.columns, column), q, u.columns),
    quad_there(query_quad(at.query + min(row + 2u, u.rows - 1u) * u.columns, column), q, u.columns),
    quad_there(query_quad(at.query + min(row + 3u, u.rows - 1u) * u.columns, column), q, u.columns),
  );
}

// Four rows at four columns; columns past the last are 0.
fn key_block(at: Places, row: u32, q: u32) -> mat4x4f {
  let column = min(q, (max(u.columns, 1u) - 1u) / 4u);
  return mat4x4f(
    quad_there(key_quad(at.key + min(row, u.keys - 1u) * u.columns, column), q, u.columns),
    quad_there(key_quad(at.key + min(row + 1u, u.keys - 1u) * u.columns, column), q, u.columns),
    quad_there(key_quad(at.key + min(row + 2u, u.keys - 1u) * u.columns, column), q, u.columns),
    quad_there(key_quad(at.key + min(row + 3u, u.keys - 1u) * u.columns, column), q, u.columns),
  );
}

// Four rows at four columns; columns past the last are 0.
fn value_block(at: Places, row: u32, q: u32) -> mat4x4f {
  let column = min(q, (max(u.value_columns, 1u) - 1u) / 4u);
  return mat4x4f(
    quad_there(value_quad(at.value + min(row, u.keys - 1u) * u.value_columns, column), q, u.value_columns),
    quad_there(value_quad(at.value + min(row + 1u, u.keys - 1u) * u.value_columns, column), q, u.value_columns),
    quad_there(value_quad(at.value + min(row + 2u, u.keys - 1u) * u.value_columns, column), q, u.value_columns),
    quad_there(value_quad(at.value + min(row + 3u, u.keys - 1u) * u.value_columns, column), q, u.value_columns),
  );
}

// Four rows at four columns; columns past the last are 0.
fn grad_block(at: Places, row: u32, q: u32) -> mat4x4f {
  let column = min(q, (max(u.value_columns, 1u) - 1u) / 4u);
  return mat4x4f(
    quad_there(grad_quad(at.result + min(row, u.rows - 1u) * u.value_columns, column), q, u.value_columns),
    quad_there(grad_quad(at.result + min(row + 1u, u.rows - 1u) * u.value_columns, column), q, u.value_columns),
    quad_there(grad_quad(at.result + min(row + 2u, u.rows - 1u) * u.value_columns, column), q, u.value_columns),
    quad_there(grad_quad(at.result + min(row + 3u, u.rows - 1u) * u.value_columns, column), q, u.value_columns),
  );
}

// The scores of a row and four keys; `inside`: the row attends to all keys of the tile, but for its mask.
fn finished(products: vec4f, at: Places, row: u32, key: u32, inside: bool) -> vec4f {
  let capped = softcapped(products * u.scale);
  let i = min(row, u.rows - 1u);
  let j = vec4u(key) + vec4u(0u, 1u, 2u, 3u);
  let read = min(j, vec4u(u.keys - 1u));
  let s = vec4f(
    masked(capped.x, at.mask, i, read.x),
    masked(capped.y, at.mask, i, read.y),
    masked(capped.z, at.mask, i, read.z),
    masked(capped.w, at.mask, i, read.w),
  );
  if (inside) {
    return s;
  }
  let span = keys_of(row);
  return select(vec4f(-infinity()), s, (j >= vec4u(span.first)) & (j < vec4u(span.last)));
}

fn sum_of(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

// Products of rows of the query and of the key: four of each.
fn scores_of(at: Places, row: u32, key: u32, y: u32, x: u32) -> Fragment {
  var sums = Fragment();
  for (var c = 0u; c < u.columns; c += depth) {
    if (x < 8u) { write_a_tile(transpose(query_block(at, row + x * 4u, c / 4u + y)), y, x); }
    write_b_tile(transpose(key_block(at, key + x * 4u, c / 4u + y)), y, x);
    workgroupBarrier();
    sums = add_tile(sums, y, x);
    workgroupBarrier();
  }
  return sums;
}

// The same of rows of the upstream gradient and of the value.
fn upstreams_of(at: Places, row: u32, key: u32, y: u32, x: u32) -> Fragment {
  var sums = Fragment();
  for (var c = 0u; c < u.value_columns; c += depth) {
    if (x < 8u) { write_a_tile(transpose(grad_block(at, row + x * 4u, c / 4u + y)), y, x); }
    write_b_tile(transpose(value_block(at, key + x * 4u, c / 4u + y)), y, x);
    workgroupBarrier();
    sums = add_tile(sums, y, x);
    workgroupBarrier();
  }
  return sums;
}

fn kept_of(key: u32, index: u32) -> vec4f {
  return vec4f(keep(key, index), keep(key + 1u, index), keep(key + 2u, index), keep(key + 3u, index));
}
