//#include "lib/class-status.wgsl"
// requires: Grid, invocation_index, marks, targets, u.n, u.op_code, u.rows, workgroup_size
// Runs before the losses where targets are lists of class indices. It sets one bit for each class of a row that is a
// label; an invocation writes 32 bits. An index out of range, even one after the end of a list, is recorded, and the
// next read throws the error.
@compute @workgroup_size(workgroup_size)
fn mark(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let words = (u.n + 31u) / 32u;
  let id = invocation_index(grid, local);
  if (id >= u.rows * words) {
    return;
  }
  let base = (id / words) * u.n;
  let word = id % words;
  for (var i = word * 32u; i < min(word * 32u + 32u, u.n); i++) {
    let index = targets[base + i];
    if (index < -1 || index >= i32(u.n)) {
      report_index(u.op_code, index, u.n);
    }
  }
  var bits = 0u;
  for (var j = 0u; j < u.n; j++) {
    let index = targets[base + j];
    if (index < 0) {
      break;
    }
    bits |= select(0u, 1u << (u32(index) % 32u), u32(index) / 32u == word);
  }
  marks[id] = bits;
}
