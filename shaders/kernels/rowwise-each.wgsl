//#include "lib/bits.wgsl"
//#include "lib/anchored-exp.wgsl"
//#include "lib/normaliser.wgsl"
//#include "lib/normaliser-each.wgsl"
// rowwise.wgsl for few elements, one at a time and a row an invocation: less code, for GPUs whose compiler is part of the
// wait.

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32, // outer * inner
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;

//#slot op
//#include "rowwise/softmax.wgsl"
//#end

fn base_of(row: u32) -> u32 {
  return (row / u.inner) * u.n * u.inner + row % u.inner;
}

fn logit_at(base: u32, i: u32) -> f32 {
  return logit_of(vec4f(x[base + i * u.inner])).x;
}

@compute @workgroup_size(16)
fn forward_each(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= u.rows) {
    return;
  }
  let base = base_of(id.x);
  let row = normaliser_each(base);
  let divisor = divisor_of(row);
  for (var i = 0u; i < u.n; i++) {
    var v = vec4f(logit_at(base, i));
    if (from_exp) {
      v = anchored_exp(v, row.anchor);
    }
    y[base + i * u.inner] = forward(v, row, divisor).x;
  }
}

@compute @workgroup_size(16)
fn backward_each(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= u.rows) {
    return;
  }
  let base = base_of(id.x);
  var block = 0.0;
  var total = 0.0;
  for (var i = 0u; i < u.n; i++) {
    let at = base + i * u.inner;
    block += backward_term(vec4f(x[at]), vec4f(grad_output[at])).x;
    if ((i & 31u) == 31u) {
      total += block;
      block = 0.0;
    }
  }
  total += block;
  for (var i = 0u; i < u.n; i++) {
    let at = base + i * u.inner;
    y[at] = backward(vec4f(x[at]), vec4f(grad_output[at]), total).x;
  }
}
