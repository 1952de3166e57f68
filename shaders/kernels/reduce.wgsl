//#include "lib/bits.wgsl"
// Sums along the middle dimension of [outer, n, inner], over a divisor (1, or a count for the mean). Split s of `splits`
// adds elements s, s + splits, ... of each row, one invocation each and neighbours side by side in memory; a second pass
// adds the splits. `finish` adds one long row with a single workgroup; `alone`, with a single invocation and no barrier.

struct Uniforms {
  n: u32,
  inner: u32,
  splits: u32,
  results: u32, // outer * splits * inner
  stride: u32,  // invocations of the dispatch
  divisor: f32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// The divisor where it is only known on the GPU; for `*_ratio`, the terms it is the sum of.
@group(0) @binding(3) var<storage, read> divisor: array<f32>;

override workgroup_size = 64u;
var<workgroup> shared_sums: array<f32, workgroup_size>;

// Elements first, first + step, ... below n. In blocks of 32: the error grows with the number of blocks, not of elements.
fn strided_sum(base: u32, first: u32, step: u32) -> f32 {
  var total = 0.0;
  var i = first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      block += x[base + i * u.inner];
      i += step;
    }
    total += block;
  }
  return total;
}

fn row_sum(result: u32) -> f32 {
  let rest = result / u.inner;
  let row = rest / u.splits;
  return strided_sum(row * u.n * u.inner + result % u.inner, rest % u.splits, u.splits);
}

// The mean of nothing is NaN.
fn divide(total: f32, by: f32) -> f32 {
  if (by == 0.0) {
    return nan();
  }
  return total / by;
}

@compute @workgroup_size(workgroup_size)
fn sum(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.results; i += u.stride) {
    y[i] = divide(row_sum(i), u.divisor);
  }
}

fn finish_sum(lane: u32) -> f32 {
  shared_sums[lane] = strided_sum(0u, lane, workgroup_size);
  workgroupBarrier();
  return sum_of_shared();
}

fn sum_of_shared() -> f32 {
  var total = 0.0;
  for (var i = 0u; i < workgroup_size; i += 8u) {
    var block = shared_sums[i];
    for (var k = 1u; k < 8u; k++) {
      block += shared_sums[i + k];
    }
    total += block;
  }
  return total;
}

@compute @workgroup_size(workgroup_size)
fn finish(@builtin(local_invocation_index) lane: u32) {
  let total = finish_sum(lane);
  if (lane == 0u) {
    y[0] = divide(total, u.divisor);
  }
}

@compute @workgroup_size(workgroup_size)
fn finish_divided(@builtin(local_invocation_index) lane: u32) {
  let total = finish_sum(lane);
  if (lane == 0u) {
    y[0] = divide(total, divisor[0]);
  }
}

@compute @workgroup_size(workgroup_size)
fn finish_ratio(@builtin(local_invocation_index) lane: u32) {
  let total = finish_sum(lane);
  workgroupBarrier();
  var weight = 0.0;
  for (var i = lane; i < u.n; i += workgroup_size) {
    weight += divisor[i];
  }
  shared_sums[lane] = weight;
  workgroupBarrier();
  if (lane == 0u) {
    y[0] = divide(total, sum_of_shared());
  }
}

@compute @workgroup_size(1)
fn alone() {
  y[0] = divide(strided_sum(0u, 0u, 1u), u.divisor);
}

@compute @workgroup_size(1)
fn alone_divided() {
  y[0] = divide(strided_sum(0u, 0u, 1u), divisor[0]);
}

@compute @workgroup_size(1)
fn alone_ratio() {
  let total = strided_sum(0u, 0u, 1u);
  var weight = 0.0;
  var i = 0u;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      block += divisor[i];
      i++;
    }
    weight += block;
  }
  y[0] = divide(total, weight);
}
