// requires: Grid, Operands, add_operands, grad_output_tail, kept_row, normalised, operand_terms, start_of
// requires: store_operands, u.chunk_quads, u.chunks, u.n, u.quads, u.rows, unit_of, workgroup_size, x_tail
// The part of norm.wgsl that sums the gradients of operands (weight, bias) over rows. Each invocation sums four neighbouring
// columns of a group of rows. `reduce` then sums the groups. There are no atomics, so every run gives the same bits.

@compute @workgroup_size(workgroup_size)
fn columns(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  let q = unit % u.quads;
  let group = unit / u.quads;
  if (group >= u.chunks) {
    return;
  }
  let first = group * u.chunk_quads;
  let end = min(first + u.chunk_quads, u.rows);
  var total: Operands;
  var block: Operands;
  for (var r = first; r < end; r++) {
    let base = start_of(r);
    block = add_operands(
      block, operand_terms(normalised(x_tail(base, q), kept_row(r)), grad_output_tail(base, q)),
    );
    if (((r - first) & 31u) == 31u) {
      total = add_operands(total, block);
      block = Operands();
    }
  }
  store_operands(group * u.n, q, add_operands(total, block));
}
