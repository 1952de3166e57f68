//#include "lib/bits.wgsl"
// Losses that compare the scores of a row with each other or with a row of labels, averaged over the n scores of the
// row. The op computes the loss of a row and writes its gradient; nothing else is stored.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  n: u32,
  rows: u32,
  op_code: u32,
  scale: f32, // factor of the upstream gradient: 1 / n, and also 1 / rows for the mean
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> scores: array<f32>;

// src/kernels/margin-loss/plan.ts writes this slot and binds only what a call needs. This default is a loss of class
// indices, without a gradient.
//#slot access
const with_grad = false;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
fn class_weight(i: u32) -> f32 { return 1.0; }
fn upstream_of(row: u32) -> f32 { return u.scale; }
fn store_loss(row: u32, v: f32) { losses[row] = v; }
fn store_grad(i: u32, v: f32) {}
fn store_grad_target(i: u32, v: f32) {}
//#end

// Returns x unchanged, by an xor with a value that is 0 at run time. WGSL allows reassociation, and some compilers
// would otherwise simplify (a + b) - a to b, which would make the rounding error in two_sum 0.
fn hidden(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ (u.n >> 31u));
}

// The rounded sum a + b, and its rounding error. Whoever adds c to the sum, and the error last, gets the exact sign
// of a + b + c. Where the sum is not finite, the error is 0.
fn two_sum(a: f32, b: f32) -> vec2f {
  let sum = hidden(a + b);
  let part = hidden(sum - a);
  let low = (a - (sum - part)) + (b - part);
  return vec2f(sum, select(low, 0.0, is_nan(low) | is_inf(low)));
}

fn mean_of_row(total: f32) -> f32 {
  return select(total / f32(u.n), nan(), u.n == 0u);
}

//#slot op
//#include "losses/multi-margin.wgsl"
//#end

//#slot entry
//#include "kernels/margin-loss/rows.wgsl"
//#end
