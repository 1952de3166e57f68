//#include "lib/class-status.wgsl"
//#include "lib/grid.wgsl"
// Splits the class indices of an adaptive softmax, for one cluster of classes: which rows belong to the cluster,
// their classes within it, and the class index that stands for the cluster in the head. There is one dispatch per
// cluster, in order; the first also checks for class indices that are out of range.

override workgroup_size = 64u;

struct Uniforms {
  rows: u32,
  low: i32, // the cluster's classes are from low up to, not including, high
  high: i32,
  place: i32,   // class index that stands for the cluster in the head
  classes: u32, // number of all classes; 0 if an earlier dispatch has checked the indices
  op_code: u32,
  first: u32, // number of rows before those that are bound
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> targets: array<i32>;
// The head's class indices after the previous cluster; for the first cluster, the targets themselves.
@group(0) @binding(2) var<storage, read> head: array<i32>;
@group(0) @binding(3) var<storage, read_write> next_head: array<i32>;
// The row's own index if it belongs to the cluster, else -1.
@group(0) @binding(4) var<storage, read_write> index: array<i32>;
// The class index within the cluster, or -1.
@group(0) @binding(5) var<storage, read_write> relative: array<i32>;

@compute @workgroup_size(workgroup_size)
fn assign(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let row = invocation_index(grid, local);
  if (row >= u.rows) {
    return;
  }
  let class_index = targets[row];
  let here = class_index >= u.low && class_index < u.high;
  var place = select(head[row], u.place, here);
  if (u.classes > 0u && (class_index < 0 || u32(class_index) >= u.classes)) {
    report_index(u.op_code, class_index, u.classes);
    place = -1;
  }
  next_head[row] = place;
  index[row] = select(-1, i32(u.first + row), here);
  relative[row] = select(-1, class_index - u.low, here);
}
