//#include "lib/bits.wgsl"
//#include "lib/anchored-exp.wgsl"
//#include "lib/normaliser.wgsl"
// The normaliser of a short row, element by element: a pass for the maximum, then one for the sum. The file is for kernels
// that define `u.n`, `apart` (see lib/log-softmax.wgsl) and `logit_at(base, i)`.

fn normaliser_each(base: u32) -> Normaliser {
  var peak = -infinity();
  for (var i = 0u; i < u.n; i++) {
    let v = logit_at(base, i);
    peak = select(peak, v, v > peak);
  }
  let anchor = anchor_of(peak);
  var at_peak = 0.0;
  var others = -1.0; // elements that equal the one kept apart
  var block = 0.0;
  var rest = 0.0;
  for (var i = 0u; i < u.n; i++) {
    let v = logit_at(base, i);
    let e = anchored_exp(vec4f(v), anchor).x;
    if (apart) {
      let same = v == peak;
      at_peak = select(at_peak, e, same);
      others += select(0.0, 1.0, same);
      block += select(e, 0.0, same);
    } else {
      block += e;
    }
    if ((i & 31u) == 31u) {
      rest += block;
      block = 0.0;
    }
  }
  return normaliser(peak, anchor, rest + block + max(others, 0.0) * at_peak, at_peak, true);
}
