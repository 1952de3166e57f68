//#include "lib/sum.wgsl"
// Sums along the middle dimension of [outer, n, inner], divided by a divisor (1, or the count for a mean). Split s of
// `splits` adds the elements s, s + splits, ... of a row. Each split has one invocation, and neighbouring invocations
// read neighbouring memory. A second pass adds the splits. `finish` sums one long row with a single workgroup.
//
// Between the passes a sum has two parts, the second in units of 2^32. A sum that is too large for a float32 on the
// way can thus return to its range, when terms cancel or a mean divides.

struct Uniforms {
  n: u32,
  inner: u32,
  splits: u32,
  results: u32, // outer * splits * inner
  stride: u32,  // number of invocations in the dispatch
  zero: u32,    // 0 at run time, see lib/sum.wgsl
  // 1 / divisor as the sum of two float32, because a large count is not exact as one float32.
  reciprocal: vec2f,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// The divisor, if it is only known on the GPU. `finish_ratio` reads the terms here whose sum is the divisor.
@group(0) @binding(3) var<storage, read> divisor: array<f32>;

override workgroup_size = 64u;
override pairs: bool = false;    // whether x holds sums in two parts
override to_pairs: bool = false; // whether y stores sums in two parts
var<workgroup> shared_sums: array<vec2f, workgroup_size>;

// The sum of the elements first, first + step, ... below n.
fn strided_sum(base: u32, first: u32, step: u32) -> vec2f {
  var low = vec2f();
  var high = vec2f();
  if (pairs) {
    for (var i = first; i < u.n; i += step) {
      let at = 2u * (base + i * u.inner);
      low = sum_add(low, x[at], u.zero);
      high = sum_add(high, x[at + 1u], u.zero);
    }
    return vec2f(sum_value(low), sum_value(high));
  }
  for (var i = first; i < u.n; i += step) {
    low = sum_add(low, x[base + i * u.inner], u.zero);
  }
  let total = sum_value(low);
  if (abs(total) < SUM_MOST) {
    return vec2f(total, 0.0);
  }
  for (var i = first; i < u.n; i += step) {
    high = sum_add(high, x[base + i * u.inner] * SUM_UNIT, u.zero);
  }
  return vec2f(0.0, sum_value(high));
}

fn row_sum(result: u32) -> vec2f {
  let rest = result / u.inner;
  let row = rest / u.splits;
  return strided_sum(row * u.n * u.inner + result % u.inner, rest % u.splits, u.splits);
}

// total / count, by the count's reciprocal in two parts. This avoids a division and the rounding of the count.
fn share_of(total: f32) -> f32 {
  let low = select(0.0, total * u.reciprocal.y, abs(total) < 0x1p127f);
  return fma(total, u.reciprocal.x, low);
}

fn mean_of(total: vec2f) -> f32 {
  let mean = sum_whole(vec2f(share_of(total.x), share_of(total.y)));
  return select(mean, not_a_number(), u.reciprocal.x == 0.0);
}

// This does not use lib/bits.wgsl, because then every application would have to load that file for one function.
fn not_a_number() -> f32 {
  return bitcast<f32>(0x7fc00000u | u.zero);
}

@compute @workgroup_size(workgroup_size)
fn sum(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.results; i += u.stride) {
    let total = row_sum(i);
    if (to_pairs) {
      y[2u * i] = total.x;
      y[2u * i + 1u] = total.y;
    } else {
      y[i] = mean_of(total);
    }
  }
}

fn finish_sum(lane: u32) -> vec2f {
  shared_sums[lane] = strided_sum(0u, lane, workgroup_size);
  workgroupBarrier();
  return sum_of_shared();
}

fn sum_of_shared() -> vec2f {
  var low = vec2f();
  var high = vec2f();
  for (var i = 0u; i < workgroup_size; i++) {
    low = sum_add(low, shared_sums[i].x, u.zero);
    high = sum_add(high, shared_sums[i].y, u.zero);
  }
  return vec2f(sum_value(low), sum_value(high));
}

// Division by a divisor that is known only on the GPU. A mean over nothing is NaN.
fn divide(total: vec2f, by: f32) -> f32 {
  if (by == 0.0) {
    return not_a_number();
  }
  return sum_whole(total / by);
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
  shared_sums[lane] = vec2f(sum_value(weight), 0.0);
  workgroupBarrier();
  if (lane == 0u) {
    y[0] = divide(total, sum_of_shared().x);
  }
}
