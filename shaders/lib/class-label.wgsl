// A row's class index. The kernel gives `classes`, `u.n`, `u.ignore_index` and `u.op_code`.

struct Status {
  flag: atomic<u32>,
  op_code: u32,
  index: i32,
  classes: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

struct Label {
  index: u32,
  ignored: bool,
  valid: bool,
}

// A row's class index; one that is out of range is noted for the next read, and stands for class 0 in memory accesses.
fn label_of(row: u32) -> Label {
  let index = classes[row];
  let ignored = index == u.ignore_index;
  let valid = ignored || (index >= 0 && u32(index) < u.n);
  if (!valid && atomicMax(&status.flag, 1u) == 0u) {
    status.op_code = u.op_code;
    status.index = index;
    status.classes = u.n;
  }
  return Label(select(0u, u32(index), valid && !ignored), ignored, valid);
}
