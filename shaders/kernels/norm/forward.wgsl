// requires: Block, Grid, Lane, Own, Row, Terms, block_quads, centred, combine_sum, combine_sum_max, deviation
// requires: factor_of, forward, horizontal_sum, in_registers, kept, lane_index, lane_of, lanes, move_exponent, nan
// requires: normalised, operands_full, operands_last_quad, own_of, padded, parts, place_of, start_of, store_moments
// requires: store_row, store_sum_full, store_sum_last, store_y_full, store_y_last, sum_of, term, u.chunks, u.eps
// requires: u.reciprocal, u.rows, u.scale_limit, unit_of, workgroup_size, x_at, x_block, x_full, x_last
// The part of norm.wgsl that computes results. It sums twice over a row. The first sum is of the differences from one element of
// the row, the pivot. They are exact where the row is far from 0. Their sum gives the mean, and the largest of them the scale.
// The second pass sums the deviations from that mean, which corrects the mean, and the op's terms, which give the factor.

struct First {
  sum: vec4f,
  bits: vec4u, // the largest magnitudes, compared as integers, for which NaN is the largest
}

// What a row is compared with at first: 0 where that is no number, so that the sum of the differences is that of the row.
fn pivot_of(base: u32) -> f32 {
  if (centred) {
    let v = x_at(base, 0u);
    return select(v, 0.0, (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u);
  }
  return 0.0;
}

// The differences divided by 16. These, and sums of sixteen of them, cannot overflow. The pivot is divided by its exponent:
// of two products with 1 / 16 compilers make one, of a difference that overflows.
fn differences(v: Block, pivot: f32) -> Block {
  let s = move_exponent(pivot, -4);
  return Block(v.a * 0.0625 - s, v.b * 0.0625 - s, v.c * 0.0625 - s, v.d * 0.0625 - s);
}

fn magnitudes(v: vec4f) -> vec4u {
  return bitcast<vec4u>(v) & vec4u(0x7fffffffu);
}

fn add_first(first: ptr<function, First>, v: Block) {
  var bits = magnitudes(v.a);
  if (block_quads > 1u) {
    bits = max(bits, magnitudes(v.b));
  }
  if (block_quads > 2u) {
    bits = max(bits, magnitudes(v.c));
  }
  if (block_quads > 3u) {
    bits = max(bits, magnitudes(v.d));
  }
  *first = First((*first).sum + sum_of(v) * u.reciprocal, max((*first).bits, bits));
}

// A lane's part of the mean difference, and the exponent of its largest difference.
fn first_sum(base: u32, lane: Lane, pivot: f32, last: ptr<function, Block>) -> vec2f {
  var total: First;
  if (padded) {
    *last = x_last(base, lane);
    add_first(&total, kept(differences(*last, pivot), lane));
  }
  if (!in_registers) {
    var block: First;
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      add_first(&block, differences(x_block(base, q, lane.step), pivot));
      if ((k & 31u) == 31u) {
        total.sum += block.sum;
        block.sum = vec4f();
      }
      q += block_quads * lane.step;
    }
    total = First(total.sum + block.sum, max(total.bits, block.bits));
  }
  let bits = max(max(total.bits.x, total.bits.y), max(total.bits.z, total.bits.w));
  return vec2f(horizontal_sum(total.sum), f32(bits >> 23u));
}

// The scale on which the largest difference is 8 to 16. If all elements of the row are equal, it is a scale on which they do
// not overflow.
fn scale_of(exponent: u32, pivot: f32) -> f32 {
  let own = 253u - clamp(exponent, 1u, 252u);
  let most = 353u - min((bitcast<u32>(pivot) & 0x7fffffffu) >> 23u, 255u);
  let scale = bitcast<f32>(min(own, most) << 23u);
  return select(min(scale, u.scale_limit), 1.0, exponent == 255u);
}

fn begun(first: vec2f, pivot: f32) -> Row {
  let exponent = u32(first.y);
  let scale = scale_of(exponent, pivot);
  var centre = 0.0;
  if (centred) {
    // The scale is applied first, because 16 times the mean difference may overflow.
    centre = select(pivot * scale + move_exponent(first.x * scale, 4), nan(), exponent == 255u);
  }
  return Row(scale, centre, 0.0, 1.0);
}

fn deviations(v: Block, row: Row) -> Block {
  return Block(deviation(v.a, row), deviation(v.b, row), deviation(v.c, row), deviation(v.d, row));
}

fn second_of(d: Block) -> Terms {
  var terms = term(d.a);
  if (block_quads > 1u) {
    terms += term(d.b);
  }
  if (block_quads > 2u) {
    terms += term(d.c);
  }
  if (block_quads > 3u) {
    terms += term(d.d);
  }
  return Terms(sum_of(d), terms);
}

// A lane's part of the sum of deviations, and of the sum of the op's terms.
fn second_sum(base: u32, lane: Lane, row: Row, last: Block) -> vec2f {
  var total: Terms;
  if (padded) {
    total = second_of(kept(deviations(last, row), lane));
  }
  if (!in_registers) {
    var block: Terms;
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      let more = second_of(deviations(x_block(base, q, lane.step), row));
      block = Terms(block.a + more.a, block.b + more.b);
      if ((k & 31u) == 31u) {
        total = Terms(total.a + block.a, total.b + block.b);
        block = Terms();
      }
      q += block_quads * lane.step;
    }
    total = Terms(total.a + block.a, total.b + block.b);
  }
  return vec2f(horizontal_sum(total.a), horizontal_sum(total.b));
}

fn finished(row: Row, second: vec2f) -> Row {
  var shift = 0.0;
  if (centred) {
    shift = second.x * u.reciprocal;
  }
  let factor = factor_of(second.y * u.reciprocal, shift, row.scale, u.eps);
  return Row(row.scale, row.centre, shift, factor);
}

fn write(base: u32, lane: Lane, last: Block, row: Row, own: Own) {
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      let v = x_full(base, q);
      store_sum_full(base, q, v);
      store_y_full(base, q, forward(normalised(v, row), operands_full(own, q)));
      q += lane.step;
    }
  }
  if (!padded) {
    return;
  }
  store_sum_last(base, lane, last);
  var r: Block;
  r.a = forward(normalised(last.a, row), operands_last_quad(own, lane, 0u));
  if (block_quads > 1u) {
    r.b = forward(normalised(last.b, row), operands_last_quad(own, lane, 1u));
  }
  if (block_quads > 2u) {
    r.c = forward(normalised(last.c, row), operands_last_quad(own, lane, 2u));
  }
  if (block_quads > 3u) {
    r.d = forward(normalised(last.d, row), operands_last_quad(own, lane, 3u));
  }
  store_y_last(base, lane, r);
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = unit_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = start_of(r);
  let lane = lane_of(0u, local);
  let pivot = pivot_of(base);
  var last: Block;
  let first = combine_sum_max(first_sum(base, lane, pivot, &last), local);
  var row = begun(first, pivot);
  let second = combine_sum(second_sum(base, lane, row, last), local);
  row = finished(row, second);
  if (lane_index(local) == 0u) {
    store_row(r, row);
    store_moments(r, row, first, second.y * u.reciprocal);
  }
  write(base, lane, last, row, own_of(r));
}

@compute @workgroup_size(workgroup_size)
fn forward_first(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = start_of(at.row);
  var last: Block;
  let part = first_sum(base, lane_of(at.chunk, local), pivot_of(base), &last);
  let total = combine_sum_max(part, local);
  if (lane_index(local) == 0u) {
    parts[unit] = total;
  }
}

// The first sums of all chunks of a row.
fn first_by_chunks(r: u32, local: u32) -> vec2f {
  var first = vec2f();
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    let part = parts[c * u.rows + r];
    first = vec2f(first.x + part.x, max(first.y, part.y));
  }
  return combine_sum_max(first, local);
}

fn last_of(base: u32, lane: Lane) -> Block {
  var last: Block;
  if (padded) {
    last = x_last(base, lane);
  }
  return last;
}

@compute @workgroup_size(workgroup_size)
fn forward_second(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = start_of(at.row);
  let lane = lane_of(at.chunk, local);
  let row = begun(first_by_chunks(at.row, local), pivot_of(base));
  let total = combine_sum(second_sum(base, lane, row, last_of(base, lane)), local);
  if (lane_index(local) == 0u) {
    parts[u.rows * u.chunks + unit] = total;
  }
}

@compute @workgroup_size(workgroup_size)
fn forward_chunks(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = start_of(at.row);
  let lane = lane_of(at.chunk, local);
  var second = vec2f();
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    second += parts[(u.chunks + c) * u.rows + at.row];
  }
  second = combine_sum(second, local);
  let first = first_by_chunks(at.row, local);
  let row = finished(begun(first, pivot_of(base)), second);
  if (at.chunk == 0u && lane_index(local) == 0u) {
    store_row(at.row, row);
    store_moments(at.row, row, first, second.y * u.reciprocal);
  }
  write(base, lane, last_of(base, lane), row, own_of(at.row));
}
