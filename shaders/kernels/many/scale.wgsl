//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
// Many tensors times the factor that brings their norm to the most that it may be, in place; nothing is written where it is 1.

//#slot items
// src/kernels/many/items.ts writes this slot for the tensors of a launch. This default has one of float32.
struct Item {
  @align(16) packs: u32,
  count: u32,
  group: u32,
  unused: u32,
}
struct Uniforms {
  per_group: u32,
  per_lane: u32,
  step: u32,
  span: u32,
  first: u32,
  zero: u32,
  numbers: vec2f, // the most, and whether a norm that is not finite leaves all as it is
  items: array<Item, 1>,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> x0: array<vec4f>;
fn item_of(group: u32) -> u32 {
  return 0u;
}
fn load_x(item: u32, i: u32) -> vec4f {
  return x0[i];
}
fn store_x(item: u32, i: u32, v: vec4f) {
  x0[i] = v;
}
//#end

@group(0) @binding(40) var<storage, read> norm: array<f32>;

override workgroup_size = 64u;

// As PyTorch: most / (norm + 1e-6), at most 1. NaN of a NaN, 0 of an infinite norm.
fn factor_of(total: f32) -> f32 {
  if (is_nan(total)) {
    return select(nan(), 1.0, u.numbers.y > 0.0);
  }
  if (is_inf(total)) {
    return select(0.0, 1.0, u.numbers.y > 0.0);
  }
  let below = total + 1e-6;
  return select(1.0, nl_divide(u.numbers.x, below), u.numbers.x < below);
}

@compute @workgroup_size(workgroup_size)
fn scale(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let factor = factor_of(norm[0]);
  if (factor == 1.0) {
    return;
  }
  let item = item_of(group.x);
  let start = (group.x - u.items[item].group) * u.per_group + lane * u.per_lane;
  let end = min(start + u.span, u.items[item].packs);
  for (var i = start; i < end; i += u.step) {
    store_x(item, i, load_x(item, i) * factor);
  }
}
