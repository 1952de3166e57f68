//#include "lib/bits.wgsl"
// Compares the rows of two or three tensors [outer, n, inner], where a row runs along the middle dimension. One pass
// writes one result per row and, where a call needs them, the gradients with respect to every element. The op is one
// file that says how a row is computed. The `rows` slot says whether one invocation or one workgroup computes a row.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  n: u32,    // elements of a row, or vec4 packs of a row if `V` is vec4f
  inner: u32,
  rows: u32, // outer * inner
  scale: f32, // factor of the upstream gradient; all of it where no gradient is bound
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// src/kernels/pair-rows/plan.ts writes this slot. This default is a distance without gradients that reads one element
// at a time.
//#slot access
alias V = f32; // one element, or a vec4 pack of four
alias B = u32; // the bits of V
alias C = bool; // the result of a comparison of V
struct Params { p: f32, eps: f32 }
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> y: array<V>;
@group(0) @binding(5) var<storage, read_write> results: array<f32>;
const with_grad = false;
// Whether each row has only one element.
fn single() -> bool { return u.n == 1u; }
fn vector(c: bool) -> C { return c; }
fn total(v: V) -> f32 { return v; }
fn largest(b: B) -> u32 { return b; }
fn smallest(b: B) -> u32 { return b; }
fn each_pow(v: V, e: f32) -> V { return v; }
fn agree(b: bool, local: u32) -> bool { return b; }
fn upstream_of(row: u32) -> f32 { return u.scale; }
fn store_result(row: u32, v: f32) { results[row] = v; }
fn store_grad_x(at: u32, v: V) {}
fn store_grad_y(at: u32, v: V) {}
//#end

//#slot op
//#include "distances/pairwise.wgsl"
//#end

fn base_of(row: u32) -> u32 {
  return (row / u.inner) * u.n * u.inner + row % u.inner;
}

@compute @workgroup_size(workgroup_size)
fn rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  compare(r, base_of(r), lane_of(local), local);
}
