//#include "lib/sum.wgsl"
// Compensated sums of four lines of a matrix at once, as lib/sum.wgsl has them of one: how products sum the lines of an
// operand on the way. The four terms of a block are added up first, so that a sum is off by at most two roundings of the
// sum of its magnitudes, however many terms there are.

struct LineSums {
  sums: vec4f,
  lost: vec4f, // what rounding has lost
}

fn lines_hidden(x: vec4f, zero: u32) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(x) ^ vec4u(zero));
}

fn add_to_lines(s: LineSums, x: vec4f, zero: u32) -> LineSums {
  let high = lines_hidden(s.sums + x, zero);
  return LineSums(high, s.lost + (x - lines_hidden(high - s.sums, zero)));
}

// A column of the block holds the terms of the four lines at one k.
fn add_block_to_lines(s: LineSums, block: mat4x4f, zero: u32) -> LineSums {
  return add_to_lines(s, (block[0] + block[1]) + (block[2] + block[3]), zero);
}

fn add_lines(s: LineSums, other: LineSums, zero: u32) -> LineSums {
  let next = add_to_lines(s, other.sums, zero);
  return LineSums(next.sums, next.lost + other.lost);
}

// If a sum overflows, its lost part is NaN.
fn lines_value(s: LineSums) -> vec4f {
  return select(s.sums, s.sums + s.lost, abs(s.lost) < vec4f(0x1p127f));
}

// Whether sums are too large for the others of their lines, or NaN: their terms are summed again in units of 2^32.
fn lines_leave(s: LineSums) -> vec4<bool> {
  return !(abs(lines_value(s)) < vec4f(SUM_MOST));
}

fn lines_where(s: LineSums, chosen: vec4<bool>) -> LineSums {
  return LineSums(select(vec4f(), s.sums, chosen), select(vec4f(), s.lost, chosen));
}
