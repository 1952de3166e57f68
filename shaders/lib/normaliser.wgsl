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

// The normaliser of a whole row from its sums: they become NaN if the row holds +Inf, or only -Inf. (NaN elements have
// made them NaN already.)
fn whole_row(row: Normaliser) -> Normaliser {
  let bad = is_inf(row.peak);
  return Normaliser(row.peak, row.anchor, select(row.sum, nan(), bad), select(row.rest, nan(), bad), row.at_peak);
}

// The logarithm of the sum of e^(x - peak); at least 0.
fn log_sum_of(row: Normaliser) -> f32 {
  return nl_log1p(nl_quotient(row.rest, row.at_peak));
}
