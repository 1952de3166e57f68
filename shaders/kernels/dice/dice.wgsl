//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
// Dice loss of rows of n elements p and t: 1 - (2 sum p t + eps) / (sum p + sum t + eps). As one fraction its
// numerator is sum p (1 - t) + t (1 - p), which is accumulated directly: for p and t in [0, 1] no terms cancel. A row
// is summed by one invocation (`whole`), or by several (`split`) followed by one workgroup (`join`). For the
// gradient, each row also stores
//   s = sum p + sum t + eps and h = (sum p t + eps / 2) / s,
// with which d loss / d p = 2 (h - t) / s and d loss / d t = 2 (h - p) / s.

struct Uniforms {
  n: u32,
  rows: u32,
  splits: u32,
  stride: u32, // number of invocations in the dispatch
  eps: f32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> t: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> halves: array<f32>;
@group(0) @binding(5) var<storage, read_write> sizes: array<f32>;
@group(0) @binding(6) var<storage, read_write> partials: array<vec4f>;

override workgroup_size = 64u;
var<workgroup> shared_sums: array<vec4f, workgroup_size>;

// The sums of p (1 - t) + t (1 - p), of p t, and of p + t, over the elements first, first + step, ... of a row. They
// are added in blocks of 32, so that the rounding error grows with the number of blocks, not of elements.
fn sums(row: u32, first: u32, step: u32) -> vec4f {
  var total = vec4f();
  var i = first;
  while (i < u.n) {
    var block = vec4f();
    for (var k = 0u; k < 32u && i < u.n; k++) {
      let x = p[row * u.n + i];
      let y = t[row * u.n + i];
      block += vec4f(x * (1.0 - y) + y * (1.0 - x), x * y, x + y, 0.0);
      i += step;
    }
    total += block;
  }
  return total;
}

fn finish(row: u32, total: vec4f) {
  let size = total.z + u.eps;
  losses[row] = nl_divide(total.x, size);
  halves[row] = nl_divide(total.y + 0.5 * u.eps, size);
  sizes[row] = size;
}

@compute @workgroup_size(workgroup_size)
fn whole(@builtin(global_invocation_id) id: vec3u) {
  for (var row = id.x; row < u.rows; row += u.stride) {
    finish(row, sums(row, 0u, 1u));
  }
}

@compute @workgroup_size(workgroup_size)
fn split(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.rows * u.splits; i += u.stride) {
    partials[i] = sums(i / u.splits, i % u.splits, u.splits);
  }
}

// Adds the partial sums of a row. Each row has one workgroup.
@compute @workgroup_size(workgroup_size)
fn join(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var total = vec4f();
  for (var i = lane; i < u.splits; i += workgroup_size) {
    total += partials[group.x * u.splits + i];
  }
  shared_sums[lane] = total;
  workgroupBarrier();
  if (lane == 0u) {
    total = vec4f();
    for (var i = 0u; i < workgroup_size; i += 8u) {
      var block = shared_sums[i];
      for (var k = 1u; k < 8u; k++) {
        block += shared_sums[i + k];
      }
      total += block;
    }
    finish(group.x, total);
  }
}
