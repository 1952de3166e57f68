//#include "lib/div.wgsl"
// requires: at, grad_output, gradient_of, is_nan, nan, terms_of, u.n, x, y
// The gradient of an op on rows whose results are 0 outside of a support: `gradient_of(v, g, mean)`, of a result and its upstream
// gradient. The mean is that of the upstream gradients by weights, `terms_of(v, g)`: a gradient times its weight, and the weight.
// A row of NaN has a gradient of NaN.
fn backward_row(base: u32) {
  var sums = vec2f();
  var i = 0u;
  while (i < u.n) {
    // Sums in blocks of blocks, so that the error grows with the number of blocks, not of elements.
    var block = vec2f();
    for (var b = 0u; b < 32u && i < u.n; b++) {
      var part = vec2f();
      for (var k = 0u; k < 32u && i < u.n; k++) {
        part += terms_of(x[at(base, i)], grad_output[at(base, i)]);
        i++;
      }
      block += part;
    }
    sums += block;
  }
  let mean = nl_divide(sums.x, sums.y);
  for (var j = 0u; j < u.n; j++) {
    let v = x[at(base, j)];
    y[at(base, j)] = select(gradient_of(v, grad_output[at(base, j)], mean), nan(), is_nan(v));
  }
}
