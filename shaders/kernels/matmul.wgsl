// C = A B for matrices given by strides, so that a transposed operand is read in place; batches broadcast. Then, per
// element, the epilogue: a bias and an activation, for a linear layer in one kernel. An invocation computes 4 x 4
// elements: `direct` reads its operands from memory, `tiled` through workgroup memory, 32 x 32 elements a workgroup.

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
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// Only what a call needs is bound: src/kernels/matmul.ts writes this slot. Here: no bias, no activation.
//#slot epilogue
struct Params { unused: f32 }
fn store(index: u32, column: u32, v: f32) {
  c[index] = v;
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

fn store_tile(offset: u32, row: u32, column: u32, tile: ptr<function, array<vec4f, 4>>) {
  for (var i = 0u; i < 4u && row + i < u.m; i++) {
    for (var j = 0u; j < 4u && column + j < u.n; j++) {
      store(offset + (row + i) * u.n + column + j, column + j, (*tile)[i][j]);
    }
  }
}

// Four elements of A's column k from a row, and of B's row k from a column; past the edge, ones that are not stored.
fn a_at(offset: u32, row: u32, k: u32) -> vec4f {
  let at = offset + k * u.a_column;
  let last = u.m - 1u;
  return vec4f(
    a[at + min(row, last) * u.a_row],
    a[at + min(row + 1u, last) * u.a_row],
    a[at + min(row + 2u, last) * u.a_row],
    a[at + min(row + 3u, last) * u.a_row],
  );
}

fn b_at(offset: u32, column: u32, k: u32) -> vec4f {
  let at = offset + k * u.b_row;
  let last = u.n - 1u;
  return vec4f(
    b[at + min(column, last) * u.b_column],
    b[at + min(column + 1u, last) * u.b_column],
    b[at + min(column + 2u, last) * u.b_column],
    b[at + min(column + 3u, last) * u.b_column],
  );
}

@compute @workgroup_size(8, 8)
fn direct(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x * 4u;
  let row = id.y * 4u;
  if (row >= u.m || column >= u.n) {
    return;
  }
  for (var batch = id.z; batch < u.batches; batch += 65535u) {
    let at = offsets_of(batch);
    var total = array<vec4f, 4>();
    var k = 0u;
    while (k < u.k) {
      // Blocks of 32 terms, so that the error grows with the number of blocks, not of terms.
      var block = array<vec4f, 4>();
      let end = min(k + 32u, u.k);
      for (; k < end; k++) {
        let x = a_at(at.a, row, k);
        let y = b_at(at.b, column, k);
        block[0] = fma(vec4f(x.x), y, block[0]);
        block[1] = fma(vec4f(x.y), y, block[1]);
        block[2] = fma(vec4f(x.z), y, block[2]);
        block[3] = fma(vec4f(x.w), y, block[3]);
      }
      for (var i = 0u; i < 4u; i++) {
        total[i] += block[i];
      }
    }
    store_tile(at.c, row, column, &total);
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
fn tiled(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = workgroup.x * extent;
  let row = workgroup.y * extent;
  let x0 = (local % 8u) * 4u;
  let y0 = (local / 8u) * 4u;
  for (var batch = workgroup.z; batch < u.batches; batch += 65535u) {
    let at = offsets_of(batch);
    var total = array<vec4f, 4>();
    for (var start = 0u; start < u.k; start += depth) {
      for (var i = local; i < depth * extent; i += 64u) {
        let p = tile_index(i, u.a_column);
        let r = row + p.x;
        let ka = start + p.y;
        a_tile[p.y][p.x] = select(0.0, a[at.a + min(r, u.m - 1u) * u.a_row + min(ka, u.k - 1u) * u.a_column], r < u.m && ka < u.k);
        let q = tile_index(i, u.b_row);
        let s = column + q.x;
        let kb = start + q.y;
        b_tile[q.y][q.x] = select(0.0, b[at.b + min(s, u.n - 1u) * u.b_column + min(kb, u.k - 1u) * u.b_row], s < u.n && kb < u.k);
      }
      workgroupBarrier();
      var block = array<vec4f, 4>();
      for (var k = 0u; k < depth; k++) {
        let y = vec4f(b_tile[k][x0], b_tile[k][x0 + 1u], b_tile[k][x0 + 2u], b_tile[k][x0 + 3u]);
        for (var i = 0u; i < 4u; i++) {
          block[i] = fma(vec4f(a_tile[k][y0 + i]), y, block[i]);
        }
      }
      for (var i = 0u; i < 4u; i++) {
        total[i] += block[i];
      }
      workgroupBarrier();
    }
    store_tile(at.c, row + y0, column + x0, &total);
  }
}
