//#include "lib/sum.wgsl"
// Sums along the middle dimension of [outer, n, inner], over a divisor (1, or a count for the mean). Split s of `splits`
// adds elements s, s + splits, ... of each row, one invocation each and neighbours side by side in memory; a second pass
// adds the splits. `finish` adds one long row with a single workgroup; `alone`, with a single invocation and no barrier.

struct Uniforms {
  n: u32,
  inner: u32,
  splits: u32,
  results: u32, // outer * splits * inner
  stride: u32,  // invocations of the dispatch
  zero: u32,    // 0: see lib/sum.wgsl
  // Of the divisor, in two parts: a count is no float32.
  reciprocal: vec2f,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// The divisor where it is only known on the GPU; for `*_ratio`, the terms it is the sum of.
@group(0) @binding(3) var<storage, read> divisor: array<f32>;

override workgroup_size = 64u;
var<workgroup> shared_sums: array<f32, workgroup_size>;

// Elements first, first + step, ... below n.
fn strided_sum(base: u32, first: u32, step: u32) -> f32 {
  var total = vec2f();
  for (var i = first; i < u.n; i += step) {
    total = sum_add(total, x[base + i * u.inner], u.zero);
  }
  return sum_value(total);
}

fn row_sum(result: u32) -> f32 {
  let rest = result / u.inner;
  let row = rest / u.splits;
  return strided_sum(row * u.n * u.inner + result % u.inner, rest % u.splits, u.splits);
}

// total / count, the count's reciprocal in two parts: no division, and no rounding of the count. Of nothing it is NaN.
fn mean_of(total: f32) -> f32 {
  let low = select(0.0, total * u.reciprocal.y, abs(total) < 0x1p127f);
  return select(fma(total, u.reciprocal.x, low), not_a_number(), u.reciprocal.x == 0.0);
}

// Without lib/bits.wgsl, which every app would have to load for it.
fn not_a_number() -> f32 {
  return bitcast<f32>(0x7fc00000u | u.zero);
}

@compute @workgroup_size(workgroup_size)
fn sum(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.results; i += u.stride) {
    y[i] = mean_of(row_sum(i));
  }
}

fn finish_sum(lane: u32) -> f32 {
  shared_sums[lane] = strided_sum(0u, lane, workgroup_size);
  workgroupBarrier();
  return sum_of_shared();
}

fn sum_of_shared() -> f32 {
  var total = vec2f();
  for (var i = 0u; i < workgroup_size; i++) {
    total = sum_add(total, shared_sums[i], u.zero);
  }
  return sum_value(total);
}

// By a divisor that is itself computed; the mean of nothing is NaN.
fn divide(total: f32, by: f32) -> f32 {
  if (by == 0.0) {
    return not_a_number();
  }
  return total / by;
}

@compute @workgroup_size(workgroup_size)
fn finish(@builtin(local_invocation_index) lane: u32) {
  let total = finish_sum(lane);
  if (lane == 0u) {
    y[0] = mean_of(total);
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
  var weight = vec2f();
  for (var i = lane; i < u.n; i += workgroup_size) {
    weight = sum_add(weight, divisor[i], u.zero);
  }
  shared_sums[lane] = sum_value(weight);
  workgroupBarrier();
  if (lane == 0u) {
    y[0] = divide(total, sum_of_shared());
  }
}

@compute @workgroup_size(1)
fn alone() {
  y[0] = mean_of(strided_sum(0u, 0u, 1u));
}

@compute @workgroup_size(1)
fn alone_divided() {
  y[0] = divide(strided_sum(0u, 0u, 1u), divisor[0]);
}

@compute @workgroup_size(1)
fn alone_ratio() {
  var total = vec2f();
  var weight = vec2f();
  for (var i = 0u; i < u.n; i++) {
    total = sum_add(total, x[i], u.zero);
    weight = sum_add(weight, divisor[i], u.zero);
  }
  y[0] = divide(sum_value(total), sum_value(weight));
}
