//#include "kernels/norm/backward-sums.wgsl"
// requires: Block, Grid, Lane, Own, Row, backward, block_quads, by_row, combine_sum, grad_output_full, grad_output_last
// requires: in_registers, kept_row, lane_index, lane_of, lanes, normalised, own_of, padded, parts, place_of, row_factor
// requires: start_of, store_sums, store_y_full, store_y_last, term_operands_full, term_operands_last_quad, u.chunks
// requires: u.reciprocal, u.rows, unit_of, workgroup_size, x_full, x_last
// The part of norm.wgsl that computes the gradient of x, from x and what was kept of each row.

// Two factors, by which gradients on the scale of the row are multiplied one after the other. Their product alone could
// leave the range of float32. A factor of the
// row's operands that goes the other way is multiplied by it first.
fn slopes_of(row: Row, own: Own) -> vec3f {
  let slopes = select(vec2f(row.factor * row.scale, 1.0), vec2f(row.factor, row.scale), row.scale < 1.0);
  if (!by_row) {
    return vec3f(slopes, 1.0);
  }
  let factor = row_factor(own);
  let together = (abs(factor) < 1.0) != (slopes.x < 1.0);
  return select(vec3f(factor, slopes), vec3f(factor * slopes.x, slopes.y, 1.0), together);
}

fn scaled(v: vec4f, slopes: vec3f) -> vec4f {
  let most = v * slopes.x * slopes.y;
  if (by_row) {
    return most * slopes.z;
  }
  return most;
}

fn gradient_of_last(
  lane: Lane,
  k: u32,
  row: Row,
  own: Own,
  v: vec4f,
  g: vec4f,
  means: vec2f,
  slopes: vec3f,
) -> vec4f {
  let o = term_operands_last_quad(own, lane, k);
  return scaled(backward(normalised(v, row), g, o, means), slopes);
}

fn write_grad(
  base: u32,
  lane: Lane,
  row: Row,
  own: Own,
  last: Block,
  last_grad: Block,
  sums: vec2f,
) {
  let means = sums * u.reciprocal;
  let s = slopes_of(row, own);
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      let z = normalised(x_full(base, q), row);
      let g = grad_output_full(base, q);
      store_y_full(base, q, scaled(backward(z, g, term_operands_full(own, q), means), s));
      q += lane.step;
    }
  }
  if (!padded) {
    return;
  }
  var r: Block;
  r.a = gradient_of_last(lane, 0u, row, own, last.a, last_grad.a, means, s);
  if (block_quads > 1u) {
    r.b = gradient_of_last(lane, 1u, row, own, last.b, last_grad.b, means, s);
  }
  if (block_quads > 2u) {
    r.c = gradient_of_last(lane, 2u, row, own, last.c, last_grad.c, means, s);
  }
  if (block_quads > 3u) {
    r.d = gradient_of_last(lane, 3u, row, own, last.d, last_grad.d, means, s);
  }
  store_y_last(base, lane, r);
}

@compute @workgroup_size(workgroup_size)
fn backward_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = start_of(r);
  let lane = lane_of(0u, local);
  let row = kept_row(r);
  var last: Block;
  var last_grad: Block;
  let own = own_of(r);
  let sums = combine_sum(backward_sum(base, lane, row, own, &last, &last_grad), local);
  if (lane_index(local) == 0u) {
    store_sums(r, sums);
  }
  write_grad(base, lane, row, own, last, last_grad, sums);
}

@compute @workgroup_size(workgroup_size)
fn backward_parts(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let total = sums_of(unit, local);
  if (lane_index(local) == 0u) {
    parts[unit] = total;
    store_sums(unit, total);
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_chunks(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  var sums = vec2f();
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    sums += parts[c * u.rows + at.row];
  }
  sums = combine_sum(sums, local);
  let base = start_of(at.row);
  let lane = lane_of(at.chunk, local);
  var last: Block;
  var last_grad: Block;
  if (padded) {
    last = x_last(base, lane);
    last_grad = grad_output_last(base, lane);
  }
  write_grad(base, lane, kept_row(at.row), own_of(at.row), last, last_grad, sums);
}
