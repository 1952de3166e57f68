//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// The two numbers that normalise a row x of `n` logits: its maximum and the sum of e^(x - maximum). The kernel gives `x`,
// `u.n`, and the row's place as `base` and `inner`. The sum is NaN for a row that holds NaN or +Inf, or only -Inf.
struct Normaliser {
  peak: f32,
  sum: f32,
}

fn normaliser_of(base: u32, lane: Lane, local: u32) -> Normaliser {
  // Not -Inf: e^(-Inf - peak) would be NaN where other elements are finite.
  var peak = -0x1.fffffep+127f;
  for (var i = lane.first; i < u.n; i += lane.step) {
    let v = logit(base, i);
    peak = select(peak, v, v > peak);
  }
  peak = combine_max(peak, local);
  // Sums in blocks of 32, so that the error grows with the number of blocks, not of elements.
  var total = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      block += nl_exp(logit(base, i) - peak);
      i += lane.step;
    }
    total += block;
  }
  total = combine_sum(total, local);
  return Normaliser(peak, select(total, nan(), total == 0.0 || is_inf(peak)));
}
