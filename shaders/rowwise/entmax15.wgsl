//#include "lib/sqrt.wgsl"
//#include "lib/support.wgsl"
// requires: at, row_max_of, u.n, x, y
// max(z - tau, 0)^2 with z = (x - maximum) / 2, and tau such that the row sums to 1. What is left of the sum, as a function of
// tau, is convex and falls, so that Newton's method goes up to tau from -1 and never past it. As soon as the elements above tau
// are those of the result, tau solves a quadratic equation, and is exact.

// Of the elements above tau: how many, the sums of z - tau and of its square, and the least.
struct Support {
  count: u32,
  sum: f32,
  squares: f32,
  least: f32,
}

fn support_of(base: u32, row_max: f32, tau: f32) -> Support {
  var count = 0u;
  var sum = 0.0;
  var squares = 0.0;
  var least = 1.0;
  var i = 0u;
  while (i < u.n) {
    // Sums in blocks of 32, so that the error grows with the number of blocks, not of elements.
    var part = 0.0;
    var part_squares = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      let z = 0.5 * (x[at(base, i)] - row_max);
      let inside = z > tau;
      let d = select(0.0, z - tau, inside);
      part += d;
      part_squares = fma(d, d, part_squares);
      least = select(least, min(least, z), inside);
      count += u32(inside);
      i++;
    }
    sum += part;
    squares += part_squares;
  }
  return Support(count, sum, squares, least);
}

fn forward_row(base: u32) {
  let row = row_max_of(base);
  let row_max = row.max;
  var bad = row.bad;
  var tau = -1.0;
  var solved = false;
  // A step at least halves the distance to the first tau with another slope, so that few are needed; each ends at a float.
  for (var steps = 0u; steps < 100u; steps++) {
    let s = support_of(base, row_max, tau);
    if (s.count == 0u) {
      bad |= steps == 0u;
      break;
    }
    let left = s.squares - 1.0;
    // Once more from the solution: sums of small differences are exact to more digits.
    if (solved) {
      tau += 0.5 * left / s.sum;
      break;
    }
    let disc = fma(s.sum, s.sum, -f32(s.count) * left);
    // The smaller root of count d^2 - 2 sum d + left, without cancellation.
    let step = nl_quotient(left, s.sum + nl_sqrt(max(disc, 0.0)));
    if (disc >= 0.0 && tau + step <= s.least) {
      tau += step;
      solved = true;
      continue;
    }
    let next = tau + 0.5 * left / s.sum;
    if (!(next > tau)) {
      break;
    }
    tau = next;
  }
  for (var i = 0u; i < u.n; i++) {
    let d = 0.5 * (x[at(base, i)] - row_max) - tau;
    y[at(base, i)] = select(select(0.0, d * d, d > 0.0), nan(), bad);
  }
}

// r (g - sum(g r) / sum(r)) with r the root of the result.
fn terms_of(v: f32, g: f32) -> vec2f {
  let r = nl_sqrt(v);
  return vec2f(select(0.0, r * g, v > 0.0), r);
}

fn gradient_of(v: f32, g: f32, mean: f32) -> f32 {
  return select(0.0, nl_sqrt(v) * (g - mean), v > 0.0);
}
