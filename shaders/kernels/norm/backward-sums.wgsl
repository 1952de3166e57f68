// requires: Block, Grid, Lane, Own, Row, Terms, backward_terms, block_quads, combine_sum, grad_output_block
// requires: grad_output_last, horizontal_sum, in_registers, kept, kept_row, lane_index, lane_of, normalised, own_of
// requires: padded, place_of, start_of, store_sums, term_operands_full, term_operands_last_quad, u.chunks, u.rows
// requires: unit_of, workgroup_size, x_block, x_last
// The part of norm.wgsl that sums two terms over each row, which the gradient of a normalised element needs the means of. Of
// operands by channel they are the gradients.

fn add_terms(total: ptr<function, Terms>, terms: Terms) {
  *total = Terms((*total).a + terms.a, (*total).b + terms.b);
}

fn normalised_block(v: Block, row: Row) -> Block {
  return Block(normalised(v.a, row), normalised(v.b, row), normalised(v.c, row), normalised(v.d, row));
}

fn terms_of_last(lane: Lane, row: Row, own: Own, v: Block, g: Block) -> Terms {
  let z = kept(normalised_block(v, row), lane);
  var total = backward_terms(z.a, g.a, term_operands_last_quad(own, lane, 0u));
  if (block_quads > 1u) {
    add_terms(&total, backward_terms(z.b, g.b, term_operands_last_quad(own, lane, 1u)));
  }
  if (block_quads > 2u) {
    add_terms(&total, backward_terms(z.c, g.c, term_operands_last_quad(own, lane, 2u)));
  }
  if (block_quads > 3u) {
    add_terms(&total, backward_terms(z.d, g.d, term_operands_last_quad(own, lane, 3u)));
  }
  return total;
}

fn terms_of_block(base: u32, q: u32, step: u32, row: Row, own: Own) -> Terms {
  let v = x_block(base, q, step);
  let g = grad_output_block(base, q, step);
  var total = backward_terms(normalised(v.a, row), g.a, term_operands_full(own, q));
  if (block_quads > 1u) {
    add_terms(&total, backward_terms(normalised(v.b, row), g.b, term_operands_full(own, q + step)));
  }
  if (block_quads > 2u) {
    add_terms(&total, backward_terms(normalised(v.c, row), g.c, term_operands_full(own, q + 2u * step)));
  }
  if (block_quads > 3u) {
    add_terms(&total, backward_terms(normalised(v.d, row), g.d, term_operands_full(own, q + 3u * step)));
  }
  return total;
}

// The two sums over a lane's part of the row. They have two stages, as in `second_sum`.
fn backward_sum(
  base: u32,
  lane: Lane,
  row: Row,
  own: Own,
  last: ptr<function, Block>,
  last_grad: ptr<function, Block>,
) -> vec2f {
  var total: Terms;
  if (padded) {
    *last = x_last(base, lane);
    *last_grad = grad_output_last(base, lane);
    total = terms_of_last(lane, row, own, *last, *last_grad);
  }
  if (!in_registers) {
    var block: Terms;
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      add_terms(&block, terms_of_block(base, q, lane.step, row, own));
      if ((k & 31u) == 31u) {
        add_terms(&total, block);
        block = Terms();
      }
      q += block_quads * lane.step;
    }
    add_terms(&total, block);
  }
  return vec2f(horizontal_sum(total.a), horizontal_sum(total.b));
}

// The two sums of a chunk.
fn sums_of(unit: u32, local: u32) -> vec2f {
  let at = place_of(unit);
  var last: Block;
  var last_grad: Block;
  let part = backward_sum(
    start_of(at.row), lane_of(at.chunk, local), kept_row(at.row), own_of(at.row), &last, &last_grad,
  );
  return combine_sum(part, local);
}

// Where nothing but the gradients of operands by channel follows from the sums.
@compute @workgroup_size(workgroup_size)
fn backward_sums(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let total = sums_of(unit, local);
  if (lane_index(local) == 0u) {
    store_sums(unit, total);
  }
}
