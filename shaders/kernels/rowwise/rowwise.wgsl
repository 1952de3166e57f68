//#include "lib/bits.wgsl"
// Softmax and its kin: each row of [outer, n, inner], along the middle dimension, is normalised by its maximum and sum of
// exponentials, read once for both. The op gives what becomes of an element; the rows slot, whether a row, or a chunk of
// one, is an invocation's or a workgroup's. Few long rows are in chunks: `*_parts` leaves a sum for each, `*_chunks` has
// what became of all of them and writes.

override workgroup_size = 64u;

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32,        // outer * inner
  chunks: u32,      // of a row
  quads: u32,       // of a row
  chunk_quads: u32, // of a chunk
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

//#include "lib/row-blocks.wgsl"

// The tensors, written by src/kernels/rows/bindings.ts: `x`, the input, or the output in the backward direction; `y`, what is
// written; `grad_output` there.
//#slot access
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
//#end

// One for each chunk of each row: its maximum and the rest of its sum, or its share of the gradient's sum.
@group(0) @binding(4) var<storage, read_write> parts: array<vec2f>;

//#slot op
//#include "rowwise/softmax.wgsl"
//#end

//#include "lib/log-softmax.wgsl"

//#slot entry
//#include "kernels/rowwise/forward.wgsl"
//#end
