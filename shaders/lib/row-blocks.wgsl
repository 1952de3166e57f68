//#include "lib/anchored-exp.wgsl"
// requires: lane_index, lanes, u.chunk_quads, u.inner, u.n, u.quads, u.rows
// How a lane reads its part of a row: in quads of four neighbouring elements, and blocks of `block_quads` quads. The elements
// that are left over, which do not fill a block or a quad, are the last block, which is padded. All other blocks are whole
// and are read without tests. If the last block is the only one, the row is `in_registers`: it is read once and stays in
// registers until it is written.

override block_quads = 1u;
override padded: bool = true;  // whether there is a last block that is not whole
override in_registers: bool = false;
override exact: bool = false;  // whether one lane has a row in registers whose quads, but the last, are known to be full

struct Block { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

struct Lane {
  first: u32, // index of its first quad
  step: u32,  // distance to its next quad
  count: u32, // number of quads
  full: u32,  // number of whole blocks before the last one
}

// The part of one chunk of a row that a lane reads.
fn lane_of(chunk: u32, local: u32) -> Lane {
  let start = chunk * u.chunk_quads;
  let end = min(start + u.chunk_quads, u.quads);
  let first = start + lane_index(local);
  let count = select(0u, (end - first + lanes() - 1u) / lanes(), first < end);
  if (!padded) {
    return Lane(first, lanes(), count, count);
  }
  return Lane(first, lanes(), count, select((max(count, 1u) - 1u) / block_quads, 0u, in_registers));
}

// The index of quad k of the last block, limited to the last quad of the row.
fn last_quad(lane: Lane, k: u32) -> u32 {
  return min(lane.first + (lane.full * block_quads + k) * lane.step, u.quads - 1u);
}

fn has_last(lane: Lane, k: u32) -> bool {
  return lane.full * block_quads + k < lane.count;
}

// Which elements of quad k of the last block are inside the row and belong to the lane.
fn inside_last(lane: Lane, k: u32) -> vec4<bool> {
  let i = vec4u(last_quad(lane, k) * 4u) + vec4u(0u, 1u, 2u, 3u);
  return (i < vec4u(u.n)) & vec4<bool>(has_last(lane, k));
}

// Which chunk of which row. First come the first chunks of all rows, then their second chunks, and so on, so that
// neighbouring invocations read neighbouring columns.
struct Place {
  row: u32,
  chunk: u32,
}

fn place_of(unit: u32) -> Place {
  return Place(unit % u.rows, unit / u.rows);
}

fn base_of(row: u32) -> u32 {
  return (row / u.inner) * u.n * u.inner + row % u.inner;
}

fn ones() -> Block {
  return Block(vec4f(1.0), vec4f(1.0), vec4f(1.0), vec4f(1.0));
}

fn horizontal_sum(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

// The largest element. A NaN may be ignored.
fn largest_of(v: Block) -> f32 {
  var m = v.a;
  if (block_quads > 1u) {
    m = max(m, v.b);
  }
  if (block_quads > 2u) {
    m = max(m, v.c);
  }
  if (block_quads > 3u) {
    m = max(m, v.d);
  }
  return max(max(m.x, m.y), max(m.z, m.w));
}

fn sum_of(v: Block) -> vec4f {
  var s = v.a;
  if (block_quads > 1u) {
    s += v.b;
  }
  if (block_quads > 2u) {
    s += v.c;
  }
  if (block_quads > 3u) {
    s += v.d;
  }
  return s;
}

fn exp_of(x: Block, anchor: Anchor) -> Block {
  var e: Block;
  e.a = anchored_exp(x.a, anchor);
  if (block_quads > 1u) {
    e.b = anchored_exp(x.b, anchor);
  }
  if (block_quads > 2u) {
    e.c = anchored_exp(x.c, anchor);
  }
  if (block_quads > 3u) {
    e.d = anchored_exp(x.d, anchor);
  }
  return e;
}

// How many elements equal p, as four sums.
fn count_of(x: Block, p: f32) -> vec4f {
  var counts: Block;
  counts.a = select(vec4f(), vec4f(1.0), x.a == vec4f(p));
  if (block_quads > 1u) {
    counts.b = select(vec4f(), vec4f(1.0), x.b == vec4f(p));
  }
  if (block_quads > 2u) {
    counts.c = select(vec4f(), vec4f(1.0), x.c == vec4f(p));
  }
  if (block_quads > 3u) {
    counts.d = select(vec4f(), vec4f(1.0), x.d == vec4f(p));
  }
  return sum_of(counts);
}

// The elements of v for which the element of x equals p (or, if `equal` is false, does not equal p); 0 for the others.
fn chosen_quad(v: vec4f, x: vec4f, p: f32, equal: bool) -> vec4f {
  return select(vec4f(), v, (x == vec4f(p)) == vec4<bool>(equal));
}

fn chosen(v: Block, x: Block, p: f32, equal: bool) -> Block {
  var c: Block;
  c.a = chosen_quad(v.a, x.a, p, equal);
  if (block_quads > 1u) {
    c.b = chosen_quad(v.b, x.b, p, equal);
  }
  if (block_quads > 2u) {
    c.c = chosen_quad(v.c, x.c, p, equal);
  }
  if (block_quads > 3u) {
    c.d = chosen_quad(v.d, x.d, p, equal);
  }
  return c;
}
