// requires: store_row
//#include "lib/fragments.wgsl"
//#include "lib/line-sums.wgsl"
// Shared by the kernels of a matrix product C = A B: its sizes, and the sums of products of a few rows and columns.

struct Uniforms {
  m: u32,
  n: u32,
  k: u32,
  batches: u32,
  a_row: u32, // strides of A along m and k
  a_column: u32,
  b_row: u32, // strides of B along k and n
  b_column: u32,
  shape: vec4u, // the batch dimensions; below, the strides of A and B along them
  a_batch: vec4u,
  b_batch: vec4u,
  splits: u32, // number of parts of the k terms, each of which has its own workgroups
  split_terms: u32, // number of terms of a part
  zero: u32, // 0 at run time, see lib/sum.wgsl
  unused: u32, // a struct of a uniform block begins at a multiple of 16 bytes
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

struct Offsets {
  a: u32,
  b: u32,
}

// The index of the first element of each operand of a batch.
fn operand_offsets(batch: u32) -> Offsets {
  var rest = batch;
  var offsets = Offsets();
  for (var d = 4u; d > 0u; d--) {
    let i = rest % u.shape[d - 1u];
    rest /= u.shape[d - 1u];
    offsets.a += i * u.a_batch[d - 1u];
    offsets.b += i * u.b_batch[d - 1u];
  }
  return offsets;
}

// The index of the first result of a batch in a split. The results of all batches of one split are stored together.
fn result_offset(batch: u32, split: u32) -> u32 {
  return (split * u.batches + batch) * u.m * u.n;
}

// A block in which the elements past the last k are 0.
fn within_k(block: mat4x4f, k: u32) -> mat4x4f {
  return mat4x4f(
    select(vec4f(), block[0], k < u.k),
    select(vec4f(), block[1], k + 1u < u.k),
    select(vec4f(), block[2], k + 2u < u.k),
    select(vec4f(), block[3], k + 3u < u.k),
  );
}

// The tile of a workgroup: its first row and column, its batch, and its split of the terms.
struct Tile {
  row: u32,
  column: u32,
  batch: u32,
  split: u32,
}

// Workgroups are counted along x first, then along y. They are given to the tiles of a row, then to the next rows of
// tiles, then to the next batches and splits. The last workgroups may have nothing to do: their batch is past the last one.
fn tile_of(workgroup: vec3u, workgroups: vec3u, rows: u32, columns: u32) -> Tile {
  let i = workgroup.x + workgroup.y * workgroups.x;
  let across = (u.n + columns - 1u) / columns;
  let tiles = across * ((u.m + rows - 1u) / rows);
  let slice = i / tiles;
  return Tile(i % tiles / across * rows, i % tiles % across * columns, slice / u.splits, slice % u.splits);
}

fn store_fragment(offset: u32, row: u32, column: u32, sums: Fragment) {
  if (column < u.n) {
    for (var r = 0u; r < min(4u, max(row, u.m) - row); r++) {
      store_row(offset, row + r, column, row_of(sums, r));
    }
  }
}
