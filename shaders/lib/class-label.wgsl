//#include "lib/class-status.wgsl"
// requires: classes, u.ignore_index, u.n, u.op_code
// The class index of a row.

struct Label {
  index: u32,
  ignored: bool,
  valid: bool,
}

// The class index of a row. An index that is out of range is recorded, and class 0 is read in its place.
fn label_of(row: u32) -> Label {
  let index = classes[row];
  let ignored = index == u.ignore_index;
  let valid = ignored | ((index >= 0) & (u32(index) < u.n));
  if (!valid) {
    report_index(u.op_code, index, u.n);
  }
  return Label(select(0u, u32(index), valid & !ignored), ignored, valid);
}
