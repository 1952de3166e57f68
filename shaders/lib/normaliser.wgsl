//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/log1p.wgsl"
//#include "lib/anchored-exp.wgsl"
// What normalises a row: its maximum and the sum of its exponentials.

struct Normaliser {
  peak: f32,
  anchor: Anchor,
  sum: f32,  // of the exponentials, on the anchor's scale
  rest: f32, // the same without what is kept apart
  at_peak: f32,
}

// From the sums of a row, or of a chunk of one. Those of a whole row become NaN if it holds +Inf, or only -Inf. (NaN elements
// have made them NaN already.) A chunk is not judged: one of nothing but -Inf adds 0 to the sum of a row that holds finite
// elements elsewhere.
fn normaliser(peak: f32, anchor: Anchor, rest: f32, at_peak: f32, whole: bool) -> Normaliser {
  let bad = whole & is_inf(peak);
  return Normaliser(peak, anchor, select(rest + at_peak, nan(), bad), select(rest, nan(), bad), at_peak);
}

// The logarithm of the sum of e^(x - peak); at least 0.
fn log_sum_of(row: Normaliser) -> f32 {
  return nl_log1p(nl_quotient(row.rest, row.at_peak));
}
