// Gated linear units: one half of x along a dimension, times an activation of the other half. x is [outer, 2, n] and
// the result is [outer, n]; neighbouring invocations access neighbouring elements.

//#include "lib/bits.wgsl"

override workgroup_size = 256u;
// The half that the activation is applied to: 0 for the first, 1 for the second.
override gate = 0u;

//#slot op
// The activation and its options.
struct Params { unused: f32 }
//#include "activations/relu.wgsl"
//#end

struct Uniforms {
  n: u32,      // elements of one half for one outer index
  count: u32,  // elements of the result
  stride: u32, // invocations in the dispatch, the step of the loop
  unused: u32,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
// The result, or the gradient with respect to x.
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;

@compute @workgroup_size(workgroup_size)
fn forward_halves(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    let first = i + (i / u.n) * u.n;
    let gated = x[first + gate * u.n];
    let linear = x[first + (1u - gate) * u.n];
    let f = forward(gated, u.op);
    var product = f * linear;
    // Near 0 the activation may underflow to 0, although its product with a large linear half would not. f(x) = x
    // f'(x) there, so the product is computed from the derivative.
    if ((f == 0.0) & (gated != 0.0) & (abs(gated) < 0x1p-100f)) {
      product = backward(gated, 1.0, u.op) * (gated * linear);
    }
    y[i] = product;
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_halves(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    let first = i + (i / u.n) * u.n;
    let at_gate = first + gate * u.n;
    let at_linear = first + (1u - gate) * u.n;
    let g = grad_output[i];
    // g times the linear half may overflow although a small slope makes the result finite. Then the product is scaled
    // down before the slope and up again after it.
    let large = is_inf(g * x[at_linear]) & !is_inf(g) & !is_inf(x[at_linear]);
    let scale = select(1.0, 0x1p-64f, large);
    y[at_gate] = backward(x[at_gate], (g * scale) * x[at_linear], u.op) / scale;
    y[at_linear] = g * forward(x[at_gate], u.op);
  }
}
