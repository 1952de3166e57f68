//#include "lib/class-status.wgsl"
// requires: classes, u.ignore_index, u.n, u.op_code
// A row's class index.

struct Label {
  index: u32,
  ignored: bool,
  valid: bool,
}

// A row's class index; one that is out of range is noted for the next read, and stands for class 0 in memory accesses.
fn label_of(row: u32) -> Label {
  let index = classes[row];
  let ignored = index == u.ignore_index;
  let valid = ignored | ((index >= 0) & (u32(index) < u.n));
  if (!valid) {
    report_index(u.op_code, index, u.n);
  }
  return Label(select(0u, u32(index), valid & !ignored), ignored, valid);
}
