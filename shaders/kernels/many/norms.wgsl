//#include "lib/bits.wgsl"
//#include "lib/pow.wgsl"
//#include "lib/sum.wgsl"
// A p-norm over all elements of many tensors. Each invocation keeps the largest magnitude of its elements, as bits, which are in
// the order of the magnitudes with infinity and NaN above all, and the sum of powers on a scale that this largest one sets:
// no power leaves float32. For p 1 and 2 the scale is a power of two; for others it is the largest magnitude itself.

//#slot items
// src/kernels/many/items.ts writes this slot for the tensors of a launch. This default has one of float32.
struct Item {
  @align(16) packs: u32, // of four elements
  count: u32,            // elements
  group: u32,            // first workgroup
  unused: u32,
}
struct Uniforms {
  per_group: u32, // packs per workgroup
  per_lane: u32,  // packs between the first packs of two neighbouring invocations
  step: u32,      // packs between two successive packs of one invocation
  span: u32,      // packs from the first pack of an invocation to the end of its last
  first: u32,     // number of the launch's first invocation
  zero: u32,      // 0 at run time, see lib/sum.wgsl
  numbers: vec2f, // p, 1 / p
  items: array<Item, 1>,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x0: array<vec4f>;
fn item_of(group: u32) -> u32 {
  return 0u;
}
fn load_x(item: u32, i: u32) -> vec4f {
  return x0[i];
}
//#end

@group(0) @binding(40) var<storage, read_write> partials: array<vec2f>;

override workgroup_size = 64u;
// 1, 2 or, for any other p, 0; 3 for the largest magnitude.
override kind: u32 = 2u;

// The power of two that brings a magnitude of these bits to 1 to 2; within the normal numbers.
fn exponent_of(peak: u32) -> i32 {
  return clamp(i32(peak >> 23u) - 127, -126, 126);
}

// What a sum on the scale of `before` is to be multiplied by on the larger scale of `after`.
fn shrink(before: u32, after: u32) -> f32 {
  if (kind == 0u) {
    return select(0.0, nl_pow(bitcast<f32>(before) / bitcast<f32>(after), u.numbers.x), before > 0u);
  }
  let d = (exponent_of(after) - exponent_of(before)) * i32(kind);
  return select(0.0, pow2i(-d), d <= 126);
}

@compute @workgroup_size(workgroup_size)
fn norms(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let item = item_of(group.x);
  let start = (group.x - u.items[item].group) * u.per_group + lane * u.per_lane;
  let end = min(start + u.span, u.items[item].packs);
  var peak = 0u;
  var sum = vec2f();
  for (var i = start; i < end; i += u.step) {
    let left = u.items[item].count - 4u * i;
    let x = bitcast<vec4u>(load_x(item, i)) & vec4u(0x7fffffffu);
    let m = select(vec4u(), x, vec4u(0u, 1u, 2u, 3u) < vec4u(left));
    let top = max(max(m.x, m.y), max(m.z, m.w));
    if (top > peak) {
      if (kind != 3u) {
        sum *= shrink(peak, top);
      }
      peak = top;
    }
    if (kind != 3u && peak > 0u) {
      let a = bitcast<vec4f>(m);
      var t = a;
      if (kind == 0u) {
        let r = a / bitcast<f32>(peak);
        t = vec4f(power_of(r.x), power_of(r.y), power_of(r.z), power_of(r.w));
      } else {
        t *= pow2i(-exponent_of(peak));
        t = select(t, t * t, kind == 2u);
      }
      sum = sum_add(sum, (t.x + t.y) + (t.z + t.w), u.zero);
    }
  }
  partials[u.first + group.x * workgroup_size + lane] = vec2f(bitcast<f32>(peak), sum_value(sum));
}

fn power_of(x: f32) -> f32 {
  return select(0.0, nl_pow(x, u.numbers.x), x > 0.0);
}
