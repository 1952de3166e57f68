// Computes every output element from the input elements at the same broadcast index: activations, arithmetic,
// pointwise losses, optimizer steps and conversions. Elements are processed in packs of four. `map` stores the
// results. No entry point needs a barrier.

//#slot storage
// src/kernels/pointwise/plan.ts writes this slot with the tensors of one op. This default has one input and one
// output.
struct Params { unused: f32 }
struct Results { r0: f32 }
const operands = 1u;
@group(0) @binding(1) var<storage, read> in0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out0: array<vec4f>;
fn nl_element(index: u32, v0: f32, p: Params) -> Results {
  return Results(v0);
}
struct Cursor { unused: u32 }
fn nl_cursor(pack: u32) -> Cursor {
  return Cursor();
}
fn nl_next(c: Cursor) -> Cursor {
  return c;
}
fn nl_pack(pack: u32, c: Cursor, p: Params) -> vec4f {
  let a0 = in0[pack];
  let first = u.first + pack * 4u;
  let x = nl_element(first, a0.x, p);
  let y = nl_element(first + 1u, a0.y, p);
  let z = nl_element(first + 2u, a0.z, p);
  let w = nl_element(first + 3u, a0.w, p);
  out0[pack] = vec4f(x.r0, y.r0, z.r0, w.r0);
  return vec4f(x.r0, y.r0, z.r0, w.r0);
}
// Used instead of nl_pack where elements are processed one by one.
fn nl_each(i: u32) {
  out0[i / 4u][i % 4u] = nl_element(i, in0[i / 4u][i % 4u], u.op).r0;
}
//#end

struct Uniforms {
  packs: u32,     // packs in this window
  count: u32,     // elements in this window
  first: u32,     // index of the window's first element in the whole tensor
  partial: u32,   // index of this window's first partial sum
  per_group: u32, // packs per workgroup
  per_lane: u32,  // packs between the first packs of two neighbouring invocations
  step: u32,      // packs between two successive packs of one invocation
  span: u32,      // packs from the first pack of an invocation to the end of its last
  rank: u32,      // dimensions of the broadcast shape, after merging
  scale: f32,     // factor of gradients that are computed before backward() is called
  zero: u32,      // 0 at run time, see lib/sum.wgsl
  unused: u32,
  shape: array<vec4u, 2>,
  // Strides by operand. An operand that repeats has its period in packs instead, and `step` modulo that period.
  strides: array<vec4u, 2 * operands>,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

override workgroup_size = 256u;

// The index in operand `k` of element `index` of the result, where the operand is broadcast.
fn offset_of(index: u32, k: u32) -> u32 {
  var rest = index;
  var offset = 0u;
  for (var d = u.rank; d > 0u; d--) {
    let extent = u.shape[(d - 1u) / 4u][(d - 1u) % 4u];
    let q = rest / extent;
    offset += (rest - q * extent) * u.strides[2u * k + (d - 1u) / 4u][(d - 1u) % 4u];
    rest = q;
  }
  return offset;
}

@compute @workgroup_size(workgroup_size)
fn map(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let start = group.x * u.per_group + lane * u.per_lane;
  let end = min(start + u.span, u.packs);
  let step = u.step;
  let p = u.op;
  var cursor = nl_cursor(start);
  for (var i = start; i < end; i += step) {
    _ = nl_pack(i, cursor, p);
    cursor = nl_next(cursor);
  }
}

// For few elements on a software adapter. The op is compiled once, not four times in a loop, because compilation
// takes most of the time there.
@compute @workgroup_size(workgroup_size)
fn each(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < u.count) {
    nl_each(id.x);
  }
}

//#slot sums
// kernels/pointwise/accumulate.wgsl where a result is summed, else nothing: an app that sums nothing does without.
//#end
