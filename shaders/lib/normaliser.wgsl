//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/log1p.wgsl"
//#include "lib/anchored-exp.wgsl"
// What softmax needs to know of a row: its maximum and the sum of its exponentials.

struct Normaliser {
  max: f32,
  anchor: Anchor,
  sum: f32,  // of all exponentials, on the anchor's scale
  sum_others: f32, // the same without the exponential of the maximum, if `sum_excludes_max`
  exp_max: f32,
}

// Makes the normaliser of a row, or of a chunk of a row, from its sums. That of a whole row becomes NaN if the row contains
// +Inf, or nothing but -Inf. (NaN elements have made the sums NaN already.) That of a chunk does not: a chunk of nothing
// but -Inf adds 0 to the sum, as other chunks of the row may contain finite elements.
fn normaliser(row_max: f32, anchor: Anchor, sum_others: f32, exp_max: f32, whole: bool) -> Normaliser {
  let bad = whole & is_inf(row_max);
  return Normaliser(row_max, anchor, select(sum_others + exp_max, nan(), bad), select(sum_others, nan(), bad), exp_max);
}

// The logarithm of the sum of e^(x - max). It is at least 0.
fn log_sum_of(row: Normaliser) -> f32 {
  return nl_log1p(nl_quotient(row.sum_others, row.exp_max));
}
