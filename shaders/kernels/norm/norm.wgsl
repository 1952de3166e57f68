//#include "lib/bits.wgsl"
// Norms of the rows of [rows, n]. If the op is centred, the mean of the row is subtracted from each element. Then the row is
// multiplied by a factor, as 1 / (its root mean square) or 1 / (its standard deviation). The op gives that factor, and the
// result of a normalised element. The rows slot decides whether one invocation or one workgroup computes a row, or a chunk
// of a row.
//
// Each row is computed on a scale of its own: its elements are multiplied by a power of two that brings them near 1, so that
// squares neither overflow nor underflow. The mean is a sum of two floats: the nearest float32 and what is left.

override workgroup_size = 64u;

struct Uniforms {
  n: u32,
  inner: u32,       // always 1; lib/row-blocks.wgsl reads it
  rows: u32,
  chunks: u32,      // chunks per row; for `columns`, number of groups of rows
  quads: u32,       // quads (four elements) per row
  chunk_quads: u32, // quads per chunk; for `columns`, rows per group
  reciprocal: f32,  // 1 / n
  eps: f32,
  scale_limit: f32, // the largest scale on which eps does not overflow
  unbias: f32,      // n / (n - 1)
  span: u32,        // units of a piece of a row: elements, quads where each is in one piece of memory
  gap: u32,         // units between two pieces
  first: u32,       // rows ahead of the first
  groups: u32,      // rows after which channels begin again
  channels: u32,    // of a row
  channel_span: u32, // of neighbours of one channel: quads of a row, or elements where a quad may be of several
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

//#include "lib/row-blocks.wgsl"

// The sums of two terms.
struct Terms { a: vec4f, b: vec4f }

// What was computed of a row. Its normalised elements are ((x scale - centre) - shift) factor.
struct Row {
  scale: f32,
  centre: f32,
  shift: f32,
  factor: f32,
}

// The tensors, written by src/kernels/norm/bindings.ts: `x`; `y`, what is written; `grad_output`; the operands, `own_of` a row, and
// what their gradients are sums of; `kept_row`, of the forward direction; `start_of` a row in memory.
//#slot access
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
struct Operands { weight: vec4f }
//#end

// Two sums for each chunk of each row. In the forward direction two more follow, after the first ones of all chunks.
@group(0) @binding(4) var<storage, read_write> parts: array<vec2f>;

//#slot op
//#include "norms/rms-norm.wgsl"
//#end

// Elements on the scale of the row, minus its mean if the op is centred.
fn deviation(v: vec4f, row: Row) -> vec4f {
  let scaled = v * row.scale;
  if (centred) {
    return (scaled - row.centre) - row.shift;
  }
  return scaled;
}

fn normalised(v: vec4f, row: Row) -> vec4f {
  return deviation(v, row) * row.factor;
}

// The elements of a last block, with 0 in place of those past the end.
fn kept(v: Block, lane: Lane) -> Block {
  var k: Block;
  k.a = select(vec4f(), v.a, inside_last(lane, 0u));
  if (block_quads > 1u) {
    k.b = select(vec4f(), v.b, inside_last(lane, 1u));
  }
  if (block_quads > 2u) {
    k.c = select(vec4f(), v.c, inside_last(lane, 2u));
  }
  if (block_quads > 3u) {
    k.d = select(vec4f(), v.d, inside_last(lane, 3u));
  }
  return k;
}

//#slot entry
//#include "kernels/norm/forward.wgsl"
//#end
