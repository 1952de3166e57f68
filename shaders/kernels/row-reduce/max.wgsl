//#include "lib/bits.wgsl"
// requires: Lane, Result, block_quads, in_registers, inside_last, last_quad, padded, u.first, x_block, x_last
// The largest element, and the first place where it is. NaN counts as larger than all numbers, as in PyTorch.
struct State {
  rank: u32, // a number that is ordered as the elements are; 0 of none
  bits: u32, // of the element
  at: u32,
}

fn ranks_of(v: vec4f) -> vec4u {
  let bits = bitcast<vec4u>(v);
  let size = bits & vec4u(0x7fffffffu);
  let ordered = select(bits | vec4u(0x80000000u), ~bits, bits > vec4u(0x80000000u));
  // -0 is as large as 0.
  let same = select(ordered, vec4u(0x80000000u), size == vec4u(0u));
  return select(same, vec4u(0xffffffffu), size > vec4u(0x7f800000u));
}

fn no_elements() -> State {
  return State(0u, 0u, 0u);
}

fn better(a: State, b: State) -> State {
  if (b.rank > a.rank || (b.rank == a.rank && b.at < a.at)) {
    return b;
  }
  return a;
}

// Quads come in order, so an equal element is no earlier one.
fn add_quad(s: ptr<function, State>, v: vec4f, q: u32, inside: vec4<bool>) {
  let ranks = select(vec4u(0u), ranks_of(v), inside);
  let most = max(max(ranks.x, ranks.y), max(ranks.z, ranks.w));
  if (most > (*s).rank) {
    let k = select(select(select(3u, 2u, ranks.z == most), 1u, ranks.y == most), 0u, ranks.x == most);
    *s = State(most, bitcast<u32>(v[k]), u.first + 4u * q + k);
  }
}

fn scan(base: u32, lane: Lane) -> State {
  var s = no_elements();
  let all = vec4<bool>(true);
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      let v = x_block(base, q, lane.step);
      add_quad(&s, v.a, q, all);
      if (block_quads > 1u) {
        add_quad(&s, v.b, q + lane.step, all);
      }
      if (block_quads > 2u) {
        add_quad(&s, v.c, q + 2u * lane.step, all);
      }
      if (block_quads > 3u) {
        add_quad(&s, v.d, q + 3u * lane.step, all);
      }
      q += block_quads * lane.step;
    }
  }
  if (padded) {
    let v = x_last(base, lane);
    add_quad(&s, v.a, last_quad(lane, 0u), inside_last(lane, 0u));
    if (block_quads > 1u) {
      add_quad(&s, v.b, last_quad(lane, 1u), inside_last(lane, 1u));
    }
    if (block_quads > 2u) {
      add_quad(&s, v.c, last_quad(lane, 2u), inside_last(lane, 2u));
    }
    if (block_quads > 3u) {
      add_quad(&s, v.d, last_quad(lane, 3u), inside_last(lane, 3u));
    }
  }
  return s;
}

fn pack_part(s: State) -> vec2u {
  return vec2u(s.bits, s.at);
}

fn add_part(s: ptr<function, State>, part: vec2u) {
  *s = better(*s, State(ranks_of(vec4f(bitcast<f32>(part.x))).x, part.x, part.y));
}

fn result_of(s: State) -> Result {
  return Result(bitcast<f32>(s.bits), s.at, 0.0, 0.0);
}
