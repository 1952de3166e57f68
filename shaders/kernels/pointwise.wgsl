//#include "lib/sum.wgsl"
// Every output element from the input elements at the same, broadcast, index: activations, arithmetic, pointwise
// losses, optimizer steps, conversions. Four elements are a pack. Either the results are stored (`map`), or one of them
// is summed per invocation into `partials` (`accumulate`), to be finished by the reduce kernel; no barrier anywhere.

//#slot storage
// The tensors of one op, as src/kernels/pointwise.ts generates them; here one of each.
struct Params { unused: f32 }
struct Results { r0: f32 }
const operands = 1u;
@group(0) @binding(1) var<storage, read> in0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out0: array<vec4f>;
fn nl_element(index: u32, v0: f32, p: Params) -> Results {
  return Results(v0);
}
fn nl_pack(pack: u32) -> vec4f {
  let a0 = in0[pack];
  let first = u.first + pack * 4u;
  let x = nl_element(first, a0.x, u.op);
  let y = nl_element(first + 1u, a0.y, u.op);
  let z = nl_element(first + 2u, a0.z, u.op);
  let w = nl_element(first + 3u, a0.w, u.op);
  out0[pack] = vec4f(x.r0, y.r0, z.r0, w.r0);
  return vec4f(x.r0, y.r0, z.r0, w.r0);
}
//#end

struct Uniforms {
  packs: u32,   // packs in this window
  count: u32,   // elements in this window
  first: u32,   // index of the window's first element in the whole tensor
  stride: u32,  // invocations of the dispatch: the step of the loop
  rank: u32,    // dimensions of the broadcast shape, after merging
  scale: f32,   // factor on gradients written ahead of backward()
  partial: u32, // where this window's partial sums begin
  zero: u32,    // 0: see lib/sum.wgsl
  shape: array<vec4u, 2>,
  strides: array<vec4u, 2 * operands>,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(15) var<storage, read_write> partials: array<f32>;

override workgroup_size = 256u;

// Where element `index` of the result is in operand `k`, which is repeated along some dimensions.
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
fn map(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.packs; i += u.stride) {
    _ = nl_pack(i);
  }
}

@compute @workgroup_size(workgroup_size)
fn accumulate(@builtin(global_invocation_id) id: vec3u) {
  var total = vec2f();
  for (var i = id.x; i < u.packs; i += u.stride) {
    let left = u.count - 4u * i;
    let pack = select(vec4f(), nl_pack(i), vec4u(0u, 1u, 2u, 3u) < vec4u(left));
    total = sum_add(total, (pack.x + pack.y) + (pack.z + pack.w), u.zero);
  }
  partials[u.partial + id.x] = sum_value(total);
}
