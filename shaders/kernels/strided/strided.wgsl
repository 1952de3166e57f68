// Copies the elements of a box between two tensors, each with strides of its own: what transposes, slices and joins tensors.
// Elements move by units, as large as both sides allow: 16, 8 or 4 bytes, or a float16.

override workgroup_size = 256u;

struct Uniforms {
  count: u32, // units; of float16, words of the output
  step: u32,  // invocations in the dispatch, the step of the loop
  rank: u32,  // dimensions, of which `transpose` has two more
  x_first: u32,
  y_first: u32,
  a: u32,     // elements, of float16; `transpose`: the extent of the dimension along which x is contiguous,
  b: u32,     // and of that along which y is
  x_step: u32, // strides of these two: of b in x, of a in y
  y_step: u32,
  unused0: u32,
  unused1: u32,
  unused2: u32,
  shape: array<vec4u, 2>,
  x_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// Where unit `i` of the box is, in x and in y. For large copies of software adapters src/kernels/strided/plan.ts writes it for
// one rank.
//#slot place default
fn place_of(i: u32) -> vec2u {
  var rest = i;
  var place = vec2u(u.x_first, u.y_first);
  for (var d = u.rank; d > 0u; d--) {
    let k = d - 1u;
    let extent = u.shape[k / 4u][k % 4u];
    let q = rest / extent;
    place += (rest - q * extent) * vec2u(u.x_strides[k / 4u][k % 4u], u.y_strides[k / 4u][k % 4u]);
    rest = q;
  }
  return place;
}
//#end

// The tensors, and what becomes of one unit; written by src/kernels/strided/plan.ts.
//#slot unit
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
fn copy_one(i: u32) {
  let place = place_of(i);
  y[place.y] = x[place.x];
}
//#end

@compute @workgroup_size(workgroup_size)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.step) {
    copy_one(i);
  }
}
