//#include "lib/bits.wgsl"
//#include "lib/log-softmax.wgsl"
// requires: Block, Lane, Result, block_quads, combine_max, in_registers, padded, x_block, x_last
// The logarithm of the sum of e^x: the maximum, and the logarithm of the sum of e^(x - maximum), which is at least 0.
const sum_excludes_max = true;

struct State {
  sum: RowSum,
  // NaN is told by its bits: beside an infinite maximum the sum says nothing.
  has_nan: bool,
}

fn no_elements() -> State {
  return State(no_sum(), false);
}

fn has_nan_quad(v: vec4f) -> bool {
  let size = bitcast<vec4u>(v) & vec4u(0x7fffffffu);
  return any(size > vec4u(0x7f800000u));
}

fn has_nan(v: Block) -> bool {
  var found = has_nan_quad(v.a);
  if (block_quads > 1u) {
    found = found | has_nan_quad(v.b);
  }
  if (block_quads > 2u) {
    found = found | has_nan_quad(v.c);
  }
  if (block_quads > 3u) {
    found = found | has_nan_quad(v.d);
  }
  return found;
}

fn scan(base: u32, lane: Lane) -> State {
  // Variables of their own: a pointer to a member of a struct is no argument that naga and Mesa take.
  var sum = no_sum();
  var found = false;
  if (padded) {
    let last = x_last(base, lane);
    var e: Block;
    sum = first_sum(last, &e);
    found = has_nan(last);
  }
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      let v = x_block(base, q, lane.step);
      found = found | has_nan(v);
      add_to(&sum, v);
      if ((k & 31u) == 31u) {
        end_stage(&sum);
      }
      q += block_quads * lane.step;
    }
  }
  return State(sum, found);
}

struct Combined {
  row: Normaliser,
  has_nan: bool,
}

fn combine(s: State, local: u32) -> Combined {
  let row = normaliser_of(s.sum, local, false);
  return Combined(row, combine_max(select(0.0, 1.0, s.has_nan), local) > 0.0);
}

fn pack_part(s: Combined) -> vec2u {
  let sum = select(s.row.sum_others, 0.0, is_inf(s.row.max));
  return bitcast<vec2u>(vec2f(s.row.max, select(sum, nan(), s.has_nan)));
}

fn add_part(s: ptr<function, State>, part: vec2u) {
  let p = bitcast<vec2f>(part);
  (*s).has_nan = (*s).has_nan | is_nan(p.y);
  var sum = (*s).sum;
  merge(&sum, p.x, p.y);
  (*s).sum = sum;
}

fn result_of(s: Combined) -> Result {
  let ends = is_inf(s.row.max);
  let log_sum = select(select(log_sum_of(s.row), 0.0, ends), nan(), s.has_nan);
  return Result(s.row.max + log_sum, 0u, s.row.max, log_sum);
}
