//#include "lib/bits.wgsl"
// Losses of rows of n scores that compare them with each other or with a row of labels, averaged over the row. The op
// gives the loss of a row and writes its gradient; nothing else is written.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  n: u32,
  rows: u32,
  op_code: u32,
  scale: f32, // what the upstream gradient is multiplied by: 1 / n, and 1 / rows for the mean
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> scores: array<f32>;

// Only what a call needs is bound: src/kernels/margin-loss/plan.ts writes this slot. Here: a loss of class indices alone.
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

// x, by a 0 that no compiler knows of: else some take sum - a for b, as WGSL lets them.
fn hidden(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ (u.n >> 31u));
}

// a + b, and what its rounding lost, so that the sign of a + b + c is exact. Where the sum is not finite, the rest is 0.
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
