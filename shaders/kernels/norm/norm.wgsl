//#include "lib/bits.wgsl"
// Norms: each row of [rows, n] is divided by a measure of its size (its root mean square, its deviation), once its mean is
// taken away where the op is centred. The op gives that measure and what becomes of a normalised element; the rows slot,
// whether a row, or a chunk of one, is an invocation's or a workgroup's.
//
// A row is looked at on a scale of its own, a power of two, on which its elements are of the size of 1: squares stay within
// float32 whatever the row holds. Its mean is known in two parts: the nearest float32, and what is left.

override workgroup_size = 64u;

struct Uniforms {
  n: u32,
  inner: u32,       // 1
  rows: u32,
  chunks: u32,      // of a row; for `columns`, groups of rows
  quads: u32,       // of a row
  chunk_quads: u32, // of a chunk; for `columns`, rows of a group
  reciprocal: f32,  // 1 / n
  eps: f32,
  scale_limit: f32, // on larger scales eps leaves float32
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

//#include "lib/row-blocks.wgsl"

// The sums of two terms.
struct Terms { a: vec4f, b: vec4f }

// What is known of a row: an element is normalised to ((x scale - centre) - shift) factor.
struct Row {
  scale: f32,
  centre: f32,
  shift: f32,
  factor: f32,
}

// The tensors, written by src/kernels/norm/bindings.ts: `x`; `y`, what is written; `grad_output`; the operands, and what their
// gradients are sums of; `kept_row`, of the forward direction.
//#slot access
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
struct Operands { weight: vec4f }
//#end

// Of each chunk of each row: two sums; in the forward direction two more, behind those of all chunks.
@group(0) @binding(4) var<storage, read_write> parts: array<vec2f>;

//#slot op
//#include "norms/rms-norm.wgsl"
//#end

// On the row's scale, and less the mean where the op is centred.
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

// 0 where there is no element.
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
