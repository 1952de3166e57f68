//#include "lib/bits.wgsl"
//#include "lib/sqrt.wgsl"
// requires: B, Lane, V, agree, combine_max, combine_one, largest, least_exponent, left, lowest, right, side_of, single
// requires: total, u.inner, u.n, vector
// The cosine similarity of two rows, and its gradient. The op provides the elements, `left(at)` and `right(at)`, and
// `side_of(sum, down)`, which turns a sum of squares into the lengths it stands for. Where squares leave the range of
// float32, both rows are first scaled by powers of two. The op sets the sum of squares that is too small (`lowest`) and
// how far a row may be scaled up, which is by 2^-least_exponent at most.

struct Side {
  down: f32, // the power of two that the row is multiplied by
  unit: f32, // 1 / the length of the scaled row, after the guard against division by 0
  own: f32,  // 1 / the length in the derivative of the length; 0 if that derivative is taken as 0
  // 1 - v^2 unit own for a row of one element v, computed without cancellation.
  alone: f32,
}

struct Cosine {
  value: f32,
  left: Side,
  right: Side,
}

// The scalar product and both sums of squares. They are added in blocks of 32, so that the rounding error grows with
// the number of blocks.
fn products(down: vec2f, base: u32, lane: Lane, local: u32) -> vec3f {
  var sums = vec3f();
  var i = lane.first;
  while (i < u.n) {
    var dot = V();
    var first = V();
    var second = V();
    for (var j = 0u; j < 32u && i < u.n; j++) {
      let at = base + i * u.inner;
      let a = left(at) * down.x;
      let b = right(at) * down.y;
      dot += a * b;
      first += a * a;
      second += b * b;
      i += lane.step;
    }
    sums += vec3f(total(dot), total(first), total(second));
  }
  return vec3f(combine_one(sums.x, local), combine_one(sums.y, local), combine_one(sums.z, local));
}

// A power of two that scales the largest magnitude of the row, whose bits are `found`, to about 1.
fn down_of(found: u32, local: u32) -> f32 {
  let m = combine_max(bitcast<f32>(found), local);
  let e = clamp(i32(bitcast<u32>(m) >> 23u) - 127, least_exponent, 126);
  return select(1.0, pow2i(-e), m > 0.0 && !is_inf(m));
}

fn known(v: V) -> u32 {
  let b = bitcast<B>(abs(v));
  return largest(select(B(0u), b, b <= B(0x7f800000u)));
}

fn in_range(sum: f32) -> bool {
  return sum > lowest && sum < 0x1p+100;
}

fn cosine_of(base: u32, lane: Lane, local: u32) -> Cosine {
  var down = vec2f(1.0);
  var sums = products(down, base, lane, local);
  if (agree(!(in_range(sums.y) && in_range(sums.z)), local)) {
    var first = 0u;
    var second = 0u;
    for (var i = lane.first; i < u.n; i += lane.step) {
      first = max(first, known(left(base + i * u.inner)));
      second = max(second, known(right(base + i * u.inner)));
    }
    down = vec2f(down_of(first, local), down_of(second, local));
    sums = products(down, base, lane, local);
  }
  let a = side_of(sums.y, down.x);
  let b = side_of(sums.z, down.y);
  return Cosine((sums.x * a.unit) * b.unit, a, b);
}

// The gradient with respect to an element `v` of one row, where `w` is the same element of the other row. In rows of
// one element only the guard of the length makes the gradient differ from 0. The difference of the two terms would
// lose that to rounding, so `alone` is used instead.
fn cosine_grad(g: f32, value: f32, v: V, own: Side, w: V, other: Side) -> V {
  let across = (w * other.down) * other.unit;
  let along = value * ((v * own.down) * own.own);
  let slope = select(across - along, across * own.alone, vector(single() && !is_nan(value)));
  return ((g * own.unit) * slope) * own.down;
}
