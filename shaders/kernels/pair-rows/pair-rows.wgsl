//#include "lib/bits.wgsl"
// Rows of two or three tensors [outer, n, inner], along the middle dimension, compared with each other: one result for each
// row, and, where a call wants them, gradients with respect to every element, in the same pass. The op, which is one file,
// says what becomes of a row; the row slot, whether a row is an invocation's or a workgroup's.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  n: u32,    // elements of a row, or packs of four where `V` is one
  inner: u32,
  rows: u32, // outer * inner
  scale: f32, // upstream gradient of every row, or a factor of it
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// What a call has, written by src/kernels/pair-rows/plan.ts. Here: a distance alone, of elements one by one.
//#slot access
alias V = f32; // an element or a pack
alias B = u32; // its bits
alias C = bool; // what a comparison gives
struct Params { p: f32, eps: f32 }
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> y: array<V>;
@group(0) @binding(5) var<storage, read_write> results: array<f32>;
const with_grad = false;
fn single() -> bool { return u.n == 1u; } // rows of one element
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
fn rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = row_of(workgroup, workgroups, local);
  if (r >= u.rows) {
    return;
  }
  compare(r, base_of(r), lane_of(local), local);
}
