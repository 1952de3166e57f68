//#include "lib/sum.wgsl"
// Sums along the middle dimension of [outer, n, inner], over a divisor (1, or a count for the mean). Split s of `splits`
// adds elements s, s + splits, ... of each row, one invocation each and neighbours side by side in memory; a second pass
// adds the splits. `finish` adds one long row with a single workgroup.
// A sum is in two parts between, the second in units of 2^32: what leaves float32 on the way comes back to it, as where
// terms cancel, or a mean divides.

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
override pairs: bool = false;    // x holds sums in two parts
override to_pairs: bool = false; // y takes them
var<workgroup> shared_sums: array<vec2f, workgroup_size>;

// Elements first, first + step, ... below n.
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

// total / count, the count's reciprocal in two parts: no division, and no rounding of the count. Of nothing it is NaN.
fn share_of(total: f32) -> f32 {
  let low = select(0.0, total * u.reciprocal.y, abs(total) < 0x1p127f);
  return fma(total, u.reciprocal.x, low);
}

fn mean_of(total: vec2f) -> f32 {
  let mean = sum_whole(vec2f(share_of(total.x), share_of(total.y)));
  return select(mean, not_a_number(), u.reciprocal.x == 0.0);
}

// Without lib/bits.wgsl, which every app would have to load for it.
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

// By a divisor that is itself computed; the mean of nothing is NaN.
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
