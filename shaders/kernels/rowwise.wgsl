// Softmax and its kin: each row of [outer, n, inner], along the middle dimension, is normalised by its maximum and sum.
// The op gives what becomes of an element; the row slot, whether a row is an invocation's or a workgroup's.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32, // outer * inner
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>; // the input, or the output in `backward_rows`
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;

fn logit(base: u32, i: u32) -> f32 {
  return logit_of(x[base + i * u.inner]);
}

//#include "lib/log-softmax.wgsl"

//#slot op
//#include "rowwise/softmax.wgsl"
//#end

fn base_of(row: u32) -> u32 {
  return (row / u.inner) * u.n * u.inner + row % u.inner;
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = row_of(workgroup, workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let lane = lane_of(local);
  let base = base_of(r);
  let row = normaliser_of(base, lane, local);
  let divisor = divisor_of(row);
  for (var i = lane.first; i < u.n; i += lane.step) {
    y[base + i * u.inner] = forward(logit(base, i) - row.peak, divisor);
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = row_of(workgroup, workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let lane = lane_of(local);
  let base = base_of(r);
  var total = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      block += backward_term(x[base + i * u.inner], grad_output[base + i * u.inner]);
      i += lane.step;
    }
    total += block;
  }
  total = combine_sum(total, local);
  for (var j = lane.first; j < u.n; j += lane.step) {
    let at = base + j * u.inner;
    y[at] = backward(x[at], grad_output[at], total);
  }
}
