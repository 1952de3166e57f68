// A step of an optimizer for many tensors: each parameter with its gradient and state, in place.

//#slot items
// src/kernels/many/items.ts and update.ts write this slot for the tensors of a launch and the op of the step. This default has one
// tensor of float32 and its gradient.
struct Params { lr: f32 }
struct Item {
  @align(16) packs: u32,
  count: u32,
  group: u32,
  unused: u32,
  op: Params,
}
struct Uniforms {
  per_group: u32,
  per_lane: u32,
  step: u32,
  span: u32,
  first: u32,
  zero: u32,
  numbers: vec2f,
  items: array<Item, 1>,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> w0: array<vec4f>;
@group(0) @binding(2) var<storage, read> g0: array<vec4f>;
fn item_of(group: u32) -> u32 {
  return 0u;
}
fn update_pack(item: u32, i: u32) {
  w0[i] -= u.items[item].op.lr * g0[i];
}
//#end

override workgroup_size = 64u;

@compute @workgroup_size(workgroup_size)
fn update(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let item = item_of(group.x);
  let start = (group.x - u.items[item].group) * u.per_group + lane * u.per_lane;
  let end = min(start + u.span, u.items[item].packs);
  for (var i = start; i < end; i += u.step) {
    update_pack(item, i);
  }
}
