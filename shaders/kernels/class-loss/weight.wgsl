//#include "lib/bits.wgsl"
//#include "lib/class-label.wgsl"
// One workgroup sums the weights of all rows' classes. The sum is the divisor of a mean, which the gradient needs
// before the losses are known.

override workgroup_size = 64u;

struct Uniforms {
  n: u32,
  rows: u32,
  op_code: u32,
  ignore_index: i32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(12) var<storage, read_write> divisor_out: array<f32>;

//#slot access
fn class_weight(i: u32) -> f32 {
  return 1.0;
}
//#end

// The weights of rows first, first + step, ... They are added in blocks of 32, so that the rounding error grows with
// the number of blocks, not of rows.
fn weights_from(first: u32, step: u32) -> f32 {
  var total = 0.0;
  var r = first;
  while (r < u.rows) {
    var block = 0.0;
    for (var k = 0u; k < 32u && r < u.rows; k++) {
      let label = label_of(r);
      block += select(class_weight(label.index), 0.0, label.ignored);
      r += step;
    }
    total += block;
  }
  return total;
}

var<workgroup> lane_sums: array<f32, workgroup_size>;

@compute @workgroup_size(workgroup_size)
fn total_weight(@builtin(local_invocation_index) local: u32) {
  lane_sums[local] = weights_from(local, workgroup_size);
  workgroupBarrier();
  if (local == 0u) {
    var total = 0.0;
    for (var i = 0u; i < workgroup_size; i += 16u) {
      var block = 0.0;
      for (var k = 0u; k < 16u; k++) {
        block += lane_sums[i + k];
      }
      total += block;
    }
    divisor_out[0] = total;
  }
}
