// Copies 32-bit words from one place to another.

struct Uniforms {
  count: u32,
  first: u32, // index of the first word in x
  base: u32,  // index of the first word in y
  stride: u32, // invocations in the dispatch, the step of the loop
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    y[u.base + i] = x[u.first + i];
  }
}
