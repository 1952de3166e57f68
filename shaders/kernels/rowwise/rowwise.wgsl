//#include "lib/bits.wgsl"
// Softmax and similar ops. A row is the middle dimension of [outer, n, inner]. The maximum and the sum of exponentials of each
// row are computed in one pass over its elements. The op says how a result follows from an element and these two. The rows
// slot decides whether one invocation or one workgroup computes a row, or a chunk of a row. Few long rows are divided into
// chunks: the `*_parts` entry points store a sum for each chunk, and `*_chunks` combine these sums and write the results.

override workgroup_size = 64u;

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32,        // outer * inner
  chunks: u32,      // chunks per row
  quads: u32,       // quads (four elements) per row
  chunk_quads: u32, // quads per chunk
//#slot operands default
  // What a mask and a scale need.
//#end
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

//#include "lib/row-blocks.wgsl"

// src/kernels/rows/bindings.ts writes this slot. In the forward direction `x` is the input and `y` the result. In the backward
// direction `x` is the result, `grad_output` the upstream gradient, and `y` the gradient of the input.
// `row_base` gives where a row begins. A mask and a scale are part of the loads and stores.
//#slot access
fn row_base(row: u32) -> u32 {
  return base_of(row);
}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
//#end

// For each chunk of each row its maximum and the sum of its other exponentials, or its part of the gradient's sum.
@group(0) @binding(4) var<storage, read_write> parts: array<vec2f>;

//#slot op
//#include "rowwise/softmax.wgsl"
//#end

//#include "lib/log-softmax.wgsl"

//#slot entry
//#include "kernels/rowwise/forward.wgsl"
//#end
