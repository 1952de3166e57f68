//#include "lib/sqrt.wgsl"
// Running statistics: each becomes `kept` times what it was plus `momentum` times what was seen; where `cumulative`, the mean of
// all that was seen, by the number of batches. One workgroup goes over all of them: that number is read before it is written.

override workgroup_size = 64u;
override cumulative: bool = false;

struct Uniforms {
  n: u32, // of each
  momentum: f32,
  kept: f32, // 1 - momentum
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// Written by src/kernels/running/plan.ts: the statistics, what was seen, and the number of batches.
//#slot access
@group(0) @binding(1) var<storage, read> seen0: array<f32>;
@group(0) @binding(2) var<storage, read_write> running0: array<f32>;
fn count_of() -> i32 {
  return 0;
}
fn store_count(count: i32) {}
fn update_at(i: u32, kept: f32, momentum: f32) {
  running0[i] = kept * running0[i] + momentum * seen0[i];
}
//#end

@compute @workgroup_size(workgroup_size)
fn update(@builtin(local_invocation_index) local: u32) {
  let count = count_of() + 1;
  var momentum = u.momentum;
  var kept = u.kept;
  if (cumulative) {
    momentum = nl_reciprocal(f32(count));
    kept = f32(count - 1) * momentum;
  }
  for (var i = local; i < u.n; i += workgroup_size) {
    update_at(i, kept, momentum);
  }
  storageBarrier();
  if (local == 0u) {
    store_count(count);
  }
}
