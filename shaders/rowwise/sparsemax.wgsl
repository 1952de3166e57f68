//#include "lib/support.wgsl"
// requires: at, nan, row_max_of, u.n, x, y
// max(x - tau, 0), with tau such that the row sums to 1: tau = (sum of the support - 1) / size of the support, from the
// elements within 1 of the maximum, then from those above the last tau, until none falls out (Michelot 1986).
fn forward_row(base: u32) {
  let row = row_max_of(base);
  let row_max = row.max;
  var bad = row.bad;
  var tau = -1.0;
  var left = u.n + 1u;
  loop {
    var count = 0u;
    var total = 0.0;
    var i = 0u;
    while (i < u.n) {
      // Sums in blocks of 32, so that the error grows with the number of blocks, not of elements.
      var block = 0.0;
      for (var k = 0u; k < 32u && i < u.n; k++) {
        let v = x[at(base, i)] - row_max;
        let inside = v > tau;
        block += select(0.0, v, inside);
        count += u32(inside);
        i++;
      }
      total += block;
    }
    if (count == 0u || count >= left) {
      bad |= left > u.n;
      break;
    }
    left = count;
    // Where tau is an element, that element's result is exactly 0: whatever the device's division.
    tau = nl_quotient(total - 1.0, f32(count));
  }
  for (var i = 0u; i < u.n; i++) {
    let v = (x[at(base, i)] - row_max) - tau;
    y[at(base, i)] = select(select(0.0, v, v > 0.0), nan(), bad);
  }
}

// On the support g less the mean of g there, elsewhere 0.
fn terms_of(v: f32, g: f32) -> vec2f {
  return select(vec2f(), vec2f(g, 1.0), v > 0.0);
}

fn gradient_of(v: f32, g: f32, mean: f32) -> f32 {
  return select(0.0, g - mean, v > 0.0);
}
