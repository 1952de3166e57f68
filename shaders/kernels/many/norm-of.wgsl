//#include "lib/bits.wgsl"
//#include "lib/pow.wgsl"
//#include "lib/sqrt.wgsl"
//#include "lib/sum.wgsl"
// The norm from what the invocations of norms.wgsl have left, by one workgroup and in order: the same bits each run.

struct Uniforms {
  n: u32,       // partial sums
  zero: u32,    // 0 at run time, see lib/sum.wgsl
  op_code: u32, // of the op that an error names
  unused: u32,
  p: f32,
  root: f32,    // 1 / p
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> partials: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;
// Only where a norm that is not finite is an error: noted here, and thrown by the next read.
struct Status {
  flag: atomic<u32>,
  op_code: u32,
  index: i32,
  bound: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

// The flag of such a norm in src/gpu/status.ts.
const NOT_FINITE = 6u;

override workgroup_size = 256u;
override kind: u32 = 2u;
var<workgroup> peaks: array<u32, workgroup_size>;
var<workgroup> sums: array<f32, workgroup_size>;

fn exponent_of(peak: u32) -> i32 {
  return clamp(i32(peak >> 23u) - 127, -126, 126);
}

fn shrink(before: u32, after: u32) -> f32 {
  if (kind == 0u) {
    return select(0.0, nl_pow(bitcast<f32>(before) / bitcast<f32>(after), u.p), before > 0u);
  }
  let d = (exponent_of(after) - exponent_of(before)) * i32(kind);
  return select(0.0, pow2i(-d), d <= 126);
}

fn norm_of(lane: u32) -> f32 {
  var peak = 0u;
  for (var i = lane; i < u.n; i += workgroup_size) {
    peak = max(peak, bitcast<u32>(partials[i].x));
  }
  peaks[lane] = peak;
  workgroupBarrier();
  for (var i = 0u; i < workgroup_size; i++) {
    peak = max(peak, peaks[i]);
  }
  var sum = vec2f();
  if (kind != 3u && peak > 0u && peak < 0x7f800000u) {
    for (var i = lane; i < u.n; i += workgroup_size) {
      let part = partials[i];
      sum = sum_add(sum, part.y * shrink(bitcast<u32>(part.x), peak), u.zero);
    }
  }
  sums[lane] = sum_value(sum);
  workgroupBarrier();
  if (peak >= 0x7f800000u) {
    return select(infinity(), nan(), peak > 0x7f800000u);
  }
  if (kind == 3u || peak == 0u) {
    return bitcast<f32>(peak);
  }
  var total = vec2f();
  for (var i = 0u; i < workgroup_size; i++) {
    total = sum_add(total, sums[i], u.zero);
  }
  let s = sum_value(total);
  if (kind == 0u) {
    return nl_pow(s, u.root) * bitcast<f32>(peak);
  }
  return scale2(select(s, nl_sqrt(s), kind == 2u), exponent_of(peak));
}

@compute @workgroup_size(workgroup_size)
fn finish(@builtin(local_invocation_index) lane: u32) {
  let value = norm_of(lane);
  if (lane == 0u) {
    norm[0] = value;
  }
}

@compute @workgroup_size(workgroup_size)
fn finish_finite(@builtin(local_invocation_index) lane: u32) {
  let value = norm_of(lane);
  if (lane == 0u) {
    norm[0] = value;
    if (is_nan(value) || is_inf(value)) {
      if (atomicMax(&status.flag, NOT_FINITE) == 0u) {
        status.op_code = u.op_code;
        status.index = select(0, 1, is_nan(value));
        status.bound = 0u;
      }
    }
  }
}
