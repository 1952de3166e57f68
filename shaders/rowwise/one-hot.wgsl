// requires: at, grad_output, is_nan, nan, u.n, x, y
// 1 at the first of a row's largest elements, else 0; a row with NaN is NaN throughout. The gradient passes as it is.
fn forward_row(base: u32) {
  var row_max = x[base];
  var best = 0u;
  var bad = false;
  for (var i = 0u; i < u.n; i++) {
    let v = x[at(base, i)];
    bad |= is_nan(v);
    best = select(best, i, v > row_max);
    row_max = select(row_max, v, v > row_max);
  }
  for (var i = 0u; i < u.n; i++) {
    y[at(base, i)] = select(select(0.0, 1.0, i == best), nan(), bad);
  }
}

fn backward_row(base: u32) {
  for (var i = 0u; i < u.n; i++) {
    y[at(base, i)] = grad_output[at(base, i)];
  }
}
