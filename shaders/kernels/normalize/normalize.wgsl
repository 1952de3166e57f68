//#include "lib/bits.wgsl"
//#include "lib/sqrt.wgsl"
// Divides each row of [outer, n, inner], which runs along the middle dimension, by its p-norm, or by eps where that is larger. The
// norm is known as a power of two and a number of about 1, so that rows of any size come out right.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  n: u32,    // elements of a row, or vec4 packs of a row if `V` is vec4f
  inner: u32,
  rows: u32, // outer * inner
  // Where the rows begin in x, in the upstream gradient, in the result.
  x_first: u32,
  grad_first: u32,
  y_first: u32,
  unused_a: u32,
  unused_b: u32,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// src/kernels/normalize/plan.ts writes this slot.
//#slot access
alias V = f32; // one element, or a vec4 pack of four
alias B = u32; // the bits of V
alias C = bool; // the result of a comparison of V
struct Params { p: f32, eps: f32 }
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> grad_output: array<V>;
@group(0) @binding(3) var<storage, read_write> y: array<V>;
fn vector(c: bool) -> C { return c; }
fn total(v: V) -> f32 { return v; }
fn largest(b: B) -> u32 { return b; }
fn smallest(b: B) -> u32 { return b; }
fn each_pow(v: V, e: f32) -> V { return v; }
fn agree(b: bool, local: u32) -> bool { return b; }
//#end

//#include "kernels/pair-rows/norms.wgsl"

fn difference(k: u32, at: u32) -> V {
  return x[u.x_first + at];
}

fn base_of(row: u32) -> u32 {
  return (row / u.inner) * u.n * u.inner + row % u.inner;
}

// A row, and what it is divided by: an element becomes (x down) unit.
struct Row {
  norm: Norm,
  down: f32,
  unit: f32,
  below: bool, // eps instead of the norm
}

fn row_of_norm(base: u32, lane: Lane, local: u32) -> Row {
  let plain = plain_sums(base, lane, local).x;
  let norm = norm_of(0u, plain, base, lane, local);
  var row = Row(norm, norm.down, norm.unit, norm.value < u.op.eps);
  if (kind < 2u || kind > 3u) {
    // The sum of magnitudes may be past the largest float32; a count, and one element's magnitude, are not.
    var size = norm.value;
    var up = clamp(i32(bitcast<u32>(size) >> 23u) - 127, -126, 126);
    if (kind == 1u && agree(!(size < 0x1p+126), local)) {
      let m = extreme(0u, false, base, lane, local);
      up = select(0, 126, !is_inf(m));
      size = scaled_sum(0u, pow2i(-up), 1.0, base, lane, local);
    } else {
      up = select(up, 0, is_inf(size) || is_nan(size));
      size *= pow2i(-up);
    }
    row.down = pow2i(-up);
    row.unit = nl_reciprocal(size);
  }
  if (row.below) {
    row.down = 1.0;
    row.unit = nl_reciprocal(u.op.eps);
  }
  return row;
}

fn divided(v: V, row: Row) -> V {
  return (v * row.down) * row.unit;
}

@compute @workgroup_size(workgroup_size)
fn forward(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = base_of(r);
  let lane = lane_of(local);
  let row = row_of_norm(base, lane, local);
  for (var i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    y[u.y_first + at] = divided(difference(0u, at), row);
  }
}

// (g - slope (sum of g y)) / norm, where the slope is that of the norm; g / eps where eps is larger.
@compute @workgroup_size(workgroup_size)
fn backward(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = base_of(r);
  let lane = lane_of(local);
  let row = row_of_norm(base, lane, local);
  var sum = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = V();
    for (var j = 0u; j < 32u && i < u.n; j++) {
      let at = base + i * u.inner;
      block += grad_output[u.grad_first + at] * divided(difference(0u, at), row);
      i += lane.step;
    }
    sum += total(block);
  }
  sum = select(combine_one(sum, local), 0.0, row.below || kind == 0u);
  for (i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    var g = grad_output[u.grad_first + at];
    if (!row.below && kind != 0u) {
      g -= norm_grad(0u, at, row.norm, 1.0) * sum;
    }
    y[u.y_first + at] = (g * row.unit) * row.down;
  }
}
