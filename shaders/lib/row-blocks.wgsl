//#include "lib/anchored-exp.wgsl"
// requires: lane_index, lanes, u.chunk_quads, u.inner, u.n, u.quads, u.rows
// How a lane goes over its part of a row: by quads of four neighbouring elements, and blocks of `block_quads` quads. What
// does not fill a block, or a quad, is a last block of its own, padded; all others are read without any test. Where there is
// no other block, the row is `in_registers`: what was read once is still there when the row is written.

override block_quads = 1u;
override padded: bool = true;  // there is a last block; else every block is whole
override in_registers: bool = false;
override exact: bool = false;  // a held row of one lane: all quads but the last are known to be full

struct Block { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

struct Lane {
  first: u32, // quad
  step: u32,  // quads from one to the next
  count: u32, // quads
  full: u32,  // blocks ahead of the last
}

// The part of a row that one lane has of one chunk.
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

// The quad of a last block, clamped to one that is there.
fn last_quad(lane: Lane, k: u32) -> u32 {
  return min(lane.first + (lane.full * block_quads + k) * lane.step, u.quads - 1u);
}

fn has_last(lane: Lane, k: u32) -> bool {
  return lane.full * block_quads + k < lane.count;
}

// Which elements of a last block's quad are the lane's.
fn inside_last(lane: Lane, k: u32) -> vec4<bool> {
  let i = vec4u(last_quad(lane, k) * 4u) + vec4u(0u, 1u, 2u, 3u);
  return (i < vec4u(u.n)) & vec4<bool>(has_last(lane, k));
}

// Which chunk of which row. The chunks at one place of all rows are numbered one after another, so that neighbours
// read neighbouring columns.
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

// NaN may be passed over.
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

// The elements of v where those of x equal p, or where they do not; elsewhere 0.
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
