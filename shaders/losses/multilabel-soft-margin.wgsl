//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// requires: Lane, class_weight, combine_one, mean_of_row, scores, store_grad, store_grad_target, targets, u.n
// -w[i] (y ln sigmoid(x) + (1 - y) ln sigmoid(-x)), summed over the classes i.

fn row_loss(row: u32, base: u32, lane: Lane, local: u32) -> f32 {
  var total = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      let x = scores[base + i];
      let y = targets[base + i];
      // ln(1 + e^x) = max(x, 0) + rest and ln(1 + e^-x) = max(-x, 0) + rest.
      let rest = nl_softplus(-abs(x));
      let off = (1.0 - y) * (select(0.0, x, x > 0.0) + rest);
      block += class_weight(i) * (y * (select(0.0, -x, x < 0.0) + rest) + off);
      i += lane.step;
    }
    total += block;
  }
  return mean_of_row(combine_one(total, local));
}

fn row_grad(row: u32, base: u32, upstream: f32, lane: Lane, local: u32) {
  for (var i = lane.first; i < u.n; i += lane.step) {
    let x = scores[base + i];
    let y = targets[base + i];
    let factor = upstream * class_weight(i);
    // The smaller of sigmoid(x) and sigmoid(-x) is accurate; the larger is 1 minus the smaller.
    let small = nl_sigmoid(-abs(x));
    let large = 1.0 - small;
    let slope = (1.0 - y) * select(small, large, x > 0.0) - y * select(large, small, x > 0.0);
    store_grad(base + i, factor * slope);
    store_grad_target(base + i, -(factor * x));
  }
}
