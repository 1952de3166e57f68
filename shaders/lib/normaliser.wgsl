//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/log1p.wgsl"
//#include "lib/anchored-exp.wgsl"
// What normalises a row: its maximum and the sum of its exponentials.

struct Normaliser {
  max: f32,
  anchor: Anchor,
  sum: f32,  // of the exponentials, on the anchor's scale
  sum_others: f32, // the same without what is kept apart
  exp_max: f32,
}

// From the sums of a row, or of a chunk of one. Those of a whole row become NaN if it holds +Inf, or only -Inf. (NaN elements
// have made them NaN already.) A chunk is not judged: one of nothing but -Inf adds 0 to the sum of a row that holds finite
// elements elsewhere.
fn normaliser(row_max: f32, anchor: Anchor, sum_others: f32, exp_max: f32, whole: bool) -> Normaliser {
  let bad = whole & is_inf(row_max);
  return Normaliser(row_max, anchor, select(sum_others + exp_max, nan(), bad), select(sum_others, nan(), bad), exp_max);
}

// The logarithm of the sum of e^(x - max); at least 0.
fn log_sum_of(row: Normaliser) -> f32 {
  return nl_log1p(nl_quotient(row.sum_others, row.exp_max));
}
