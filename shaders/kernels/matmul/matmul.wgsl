// C = A B for matrices given by strides, so that a transposed operand is read in place; batches broadcast. Then, per
// element, the epilogue: a bias and an activation, for a linear layer in one kernel. A workgroup computes 32 x 32 elements:
// `direct` reads its operands from memory, 8 x 8 elements an invocation; `tiled` through workgroup memory, 4 x 4 elements.

struct Uniforms {
  m: u32,
  n: u32,
  k: u32,
  batches: u32,
  a_row: u32, // strides of A: of its rows (m) and columns (k)
  a_column: u32,
  b_row: u32, // strides of B: of its rows (k) and columns (n)
  b_column: u32,
  shape: vec4u, // of the batches, and the operands' strides along it
  a_batch: vec4u,
  b_batch: vec4u,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// How the operands are read: src/kernels/matmul/plan.ts writes this slot, with vec4 loads where strides and sizes allow. Four
// lines, rows of A or columns of B, have their heads: where they begin. A block holds, line by line, the elements of four k.
// Past an edge lines repeat, and k gives 0.
//#slot operands
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
fn a_value(i: u32) -> f32 { return a[i / 4u][i % 4u]; }
fn b_value(i: u32) -> f32 { return b[i / 4u][i % 4u]; }
fn a_heads(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn b_heads(offset: u32, line: u32) -> vec4u { return vec4u(); }
fn a_block(heads: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
fn b_block(heads: vec4u, k: u32) -> mat4x4f { return mat4x4f(); }
//#end

// What becomes of results, and the options of an activation: src/kernels/matmul/plan.ts writes this slot. `store_row` gets those
// of a row from a column on, of which the row may have less than four.
//#slot epilogue
struct Params { unused: f32 }
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
fn store_row(offset: u32, row: u32, column: u32, v: vec4f) {
  if (row < u.m) { c[(offset + row * u.n + column) / 4u] = v; }
}
//#end

struct Offsets {
  a: u32,
  b: u32,
  c: u32,
}

fn offsets_of(batch: u32) -> Offsets {
  var rest = batch;
  var offsets = Offsets(0u, 0u, batch * u.m * u.n);
  for (var d = 4u; d > 0u; d--) {
    let i = rest % u.shape[d - 1u];
    rest /= u.shape[d - 1u];
    offsets.a += i * u.a_batch[d - 1u];
    offsets.b += i * u.b_batch[d - 1u];
  }
  return offsets;
}

// Four rows of four results. A struct, not an array: emulated GPUs keep arrays in memory.
struct Tile {
  r0: vec4f,
  r1: vec4f,
  r2: vec4f,
  r3: vec4f,
}

fn store_tile(offset: u32, row: u32, column: u32, tile: Tile) {
  if (column < u.n) {
    store_row(offset, row, column, tile.r0);
    store_row(offset, row + 1u, column, tile.r1);
    store_row(offset, row + 2u, column, tile.r2);
    store_row(offset, row + 3u, column, tile.r3);
  }
}

fn add_tiles(x: Tile, y: Tile) -> Tile {
  return Tile(x.r0 + y.r0, x.r1 + y.r1, x.r2 + y.r2, x.r3 + y.r3);
}

// A tile and the 4 x 4 products of four elements of A and four of B.
fn add_products(t: Tile, x: vec4f, y: vec4f) -> Tile {
  return Tile(
    fma(vec4f(x.x), y, t.r0),
    fma(vec4f(x.y), y, t.r1),
    fma(vec4f(x.z), y, t.r2),
    fma(vec4f(x.w), y, t.r3),
  );
}

// First row and column of a workgroup's 32 x 32 results; tiles are numbered along rows, over both dispatch dimensions.
fn corner_of(workgroup: vec3u, workgroups: vec3u) -> vec2u {
  let tile = workgroup.x + workgroup.y * workgroups.x;
  let across = (u.n + extent - 1u) / extent;
  return vec2u(tile / across, tile % across) * extent;
}

// t + x . y for four y.
fn dots(x: vec4f, y: mat4x4f, t: vec4f) -> vec4f {
  return vec4f(dot_four(x, y[0], t.x), dot_four(x, y[1], t.y), dot_four(x, y[2], t.z), dot_four(x, y[3], t.w));
}

fn dot_four(x: vec4f, y: vec4f, t: f32) -> f32 {
  return fma(x.w, y.w, fma(x.z, y.z, fma(x.y, y.y, fma(x.x, y.x, t))));
}

fn add_dots(t: Tile, x: mat4x4f, y: mat4x4f) -> Tile {
  return Tile(dots(x[0], y, t.r0), dots(x[1], y, t.r1), dots(x[2], y, t.r2), dots(x[3], y, t.r3));
}

override tall: bool = true; // more than four rows

// Loads are dear where the GPU is emulated: the larger the tile, the more products each is good for.
@compute @workgroup_size(4, 4)
fn direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let corner = corner_of(workgroup, workgroups);
  let row = corner.x + local.y * 8u;
  let column = corner.y + local.x * 8u;
  if (row >= u.m || column >= u.n) {
    return;
  }
  for (var batch = workgroup.z; batch < u.batches; batch += 65535u) {
    let at = offsets_of(batch);
    let a0 = a_heads(at.a, row);
    let a1 = a_heads(at.a, row + 4u);
    let b0 = b_heads(at.b, column);
    let b1 = b_heads(at.b, column + 4u);
    // Results of four rows and four columns each.
    var total00 = Tile();
    var total01 = Tile();
    var total10 = Tile();
    var total11 = Tile();
    var k = 0u;
    while (k < u.k) {
      // Sums of 32 terms, so that the error grows with the number of sums, not of terms.
      var sum00 = Tile();
      var sum01 = Tile();
      var sum10 = Tile();
      var sum11 = Tile();
      let end = min(k + 32u, u.k);
      for (; k < end; k += 4u) {
        let y0 = b_block(b0, k);
        let y1 = b_block(b1, k);
        let x0 = a_block(a0, k);
        sum00 = add_dots(sum00, x0, y0);
        sum01 = add_dots(sum01, x0, y1);
        if (tall) {
          let x1 = a_block(a1, k);
          sum10 = add_dots(sum10, x1, y0);
          sum11 = add_dots(sum11, x1, y1);
        }
      }
      total00 = add_tiles(total00, sum00);
      total01 = add_tiles(total01, sum01);
      total10 = add_tiles(total10, sum10);
      total11 = add_tiles(total11, sum11);
    }
    store_tile(at.c, row, column, total00);
    store_tile(at.c, row, column + 4u, total01);
    store_tile(at.c, row + 4u, column, total10);
    store_tile(at.c, row + 4u, column + 4u, total11);
  }
}

const depth = 16u;
const extent = 32u;
var<workgroup> a_tile: array<array<f32, extent>, depth>;
var<workgroup> b_tile: array<array<f32, extent>, depth>;

// Element `i` of a tile as (line, k): neighbours follow the operand's unit stride.
fn tile_index(i: u32, k_stride: u32) -> vec2u {
  return select(vec2u(i % extent, i / extent), vec2u(i / depth, i % depth), k_stride == 1u);
}

@compute @workgroup_size(8, 8)
fn tiled(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let corner = corner_of(workgroup, workgroups);
  let row = corner.x;
  let column = corner.y;
  if (row >= u.m) {
    return;
  }
  let x0 = (local % 8u) * 4u;
  let y0 = (local / 8u) * 4u;
  for (var batch = workgroup.z; batch < u.batches; batch += 65535u) {
    let at = offsets_of(batch);
    var total = Tile();
    for (var start = 0u; start < u.k; start += depth) {
      for (var i = local; i < depth * extent; i += 64u) {
        let p = tile_index(i, u.a_column);
        let r = row + p.x;
        let ka = start + p.y;
        a_tile[p.y][p.x] = select(0.0, a_value(at.a + min(r, u.m - 1u) * u.a_row + min(ka, u.k - 1u) * u.a_column), r < u.m && ka < u.k);
        let q = tile_index(i, u.b_row);
        let s = column + q.x;
        let kb = start + q.y;
        b_tile[q.y][q.x] = select(0.0, b_value(at.b + min(s, u.n - 1u) * u.b_column + min(kb, u.k - 1u) * u.b_row), s < u.n && kb < u.k);
      }
      workgroupBarrier();
      var sum = Tile();
      for (var k = 0u; k < depth; k++) {
        let x = vec4f(a_tile[k][y0], a_tile[k][y0 + 1u], a_tile[k][y0 + 2u], a_tile[k][y0 + 3u]);
        let y = vec4f(b_tile[k][x0], b_tile[k][x0 + 1u], b_tile[k][x0 + 2u], b_tile[k][x0 + 3u]);
        sum = add_products(sum, x, y);
      }
      total = add_tiles(total, sum);
      workgroupBarrier();
    }
    store_tile(at.c, row + y0, column + x0, total);
  }
}
