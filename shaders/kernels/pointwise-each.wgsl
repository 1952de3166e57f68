// pointwise.wgsl for few elements, one at a time: a quarter of the code, for GPUs whose compiler is part of the wait.

//#slot storage
// The tensors of one op, as src/kernels/pointwise-each.ts generates them; here one of each.
struct Params { unused: f32 }
struct Results { r0: f32 }
@group(0) @binding(1) var<storage, read> in0: array<f32>;
@group(0) @binding(2) var<storage, read_write> out0: array<f32>;
fn nl_element(index: u32, v0: f32, p: Params) -> Results {
  return Results(v0);
}
fn nl_each(i: u32) {
  out0[i] = nl_element(i, in0[i], u.op).r0;
}
//#end

struct Uniforms {
  count: u32, // elements
  scale: f32, // as in pointwise.wgsl
  unused0: u32,
  unused1: u32,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

@compute @workgroup_size(256)
fn map(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < u.count) {
    nl_each(id.x);
  }
}
