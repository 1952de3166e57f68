//#include "lib/bits.wgsl"
// The index of the largest of the n numbers in each row; the first index if several are equal. NaN counts as larger
// than all numbers, as in PyTorch.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  n: u32,
  rows: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

// Two numbers that together are ordered like the float32 v. Each is below 2^16 and thus exact as a float32, because
// the lanes of a row can be combined only by the maximum of float32 values.
fn rank_of(v: f32) -> vec2f {
  let b = bitcast<u32>(select(v, 0.0, v == 0.0));
  let ordered = select(select(b | 0x80000000u, ~b, (b >> 31u) == 1u), 0xffffffffu, is_nan(v));
  return vec2f(f32(ordered >> 16u), f32(ordered & 0xffffu));
}

fn later(a: vec2f, b: vec2f) -> bool {
  return a.x > b.x || (a.x == b.x && a.y > b.y);
}

@compute @workgroup_size(workgroup_size)
fn argmax(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let lane = lane_of(local);
  var best = vec2f(-1.0);
  var at = 0u;
  for (var i = lane.first; i < u.n; i += lane.step) {
    let rank = rank_of(x[r * u.n + i]);
    if (later(rank, best)) {
      best = rank;
      at = i;
    }
  }
  // Find the largest rank over all lanes, then the smallest index among the lanes that have it. The index has two
  // parts as well, and is negated so that the maximum finds the smallest.
  let high = combine_max(best.x, local);
  let low = combine_max(select(-1.0, best.y, best.x == high), local);
  let wins = best.x == high && best.y == low;
  let first_high = combine_max(select(-65536.0, -f32(at >> 16u), wins), local);
  let near = wins && -f32(at >> 16u) == first_high;
  let first_low = combine_max(select(-65536.0, -f32(at & 0xffffu), near), local);
  if (lane.first == 0u) {
    y[r] = (i32(-first_high) << 16u) | i32(-first_low);
  }
}
