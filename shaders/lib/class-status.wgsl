// Records the first class index that is out of range. The next read of a result throws it as an error.
struct Status {
  flag: atomic<u32>,
  op_code: u32,
  index: i32,
  classes: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

fn report_index(op_code: u32, index: i32, classes: u32) {
  if (atomicMax(&status.flag, 1u) == 0u) {
    status.op_code = op_code;
    status.index = index;
    status.classes = classes;
  }
}
