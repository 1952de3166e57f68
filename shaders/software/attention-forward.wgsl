// requires: Places, Span, anchor_for, keep, keys_of, masked, places_of, sink_of, softcapped, statistics_of
// requires: store_new_result_quad, store_statistics, u.batches, u.columns, u.first_batch, u.keys
// requires: u.result_start, u.row_start, u.rows, u.scale, u.value_columns, unscaled_weights, value_quad
// requires: workgroup_size
//#include "software/attention-pairs.wgsl"
// The forward direction for GPUs that are emulated on a CPU, where barriers are dear: an invocation has a row, and goes through the
// keys four at a time.

// The row's sums, of at most 256 columns.
var<private> sums: array<vec4f, 64>;

// What is attended to of four keys; all others have -Inf.
fn attended(score: vec4f, at: Places, row: u32, first: u32, span: Span) -> vec4f {
  let j = vec4u(first) + next_four;
  var s: vec4f;
  for (var c = 0u; c < 4u; c++) {
    s[c] = masked(score[c], at.mask, row, min(j[c], u.keys - 1u));
  }
  return select(vec4f(-infinity()), s, (j >= vec4u(span.first)) & (j < vec4u(span.last)));
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let r = invocation.x + invocation.y * workgroups.x * workgroup_size;
  if (r >= u.batches * u.rows) {
    return;
  }
  let batch = u.first_batch + r / u.rows;
  let row = r % u.rows;
  let at = places_of(batch);
  let span = keys_of(row);
  let index = batch * u.rows + row;
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    sums[q] = vec4f();
  }
  var row_max = sink_of(at.head);
  var anchor = anchor_for(row_max);
  var sum = unscaled_weights(vec4f(row_max), anchor).x;
  for (var j = span.first & 0xfffffffcu; j < span.last; j += 4u) {
    let keys = min(vec4u(j) + next_four, vec4u(u.keys - 1u));
    let products = products_of_row(at.query + row * u.columns, vec4u(at.key) + keys * u.columns);
    let s = attended(softcapped(products * u.scale), at, row, j, span);
    let largest = max(max(s.x, s.y), max(s.z, s.w));
    if (largest > row_max) {
      let risen = anchor_for(largest);
      let factor = rescale(anchor, risen);
      sum *= factor;
      for (var q = 0u; q * 4u < u.value_columns; q++) {
        sums[q] *= factor;
      }
      row_max = largest;
      anchor = risen;
    }
    let weights = unscaled_weights(s, anchor);
    sum += (weights.x + weights.y) + (weights.z + weights.w);
    let kept = weights * vec4f(keep(j, index), keep(j + 1u, index), keep(j + 2u, index), keep(j + 3u, index));
    let counted = counted_of(kept);
    let values = vec4u(at.value) + keys * u.value_columns;
    for (var q = 0u; q * 4u < u.value_columns; q++) {
      sums[q] += weighted(
        kept,
        counted,
        value_quad(values.x, q),
        value_quad(values.y, q),
        value_quad(values.z, q),
        value_quad(values.w, q),
      );
    }
  }
  let statistics = statistics_of(row_max, sum);
  store_statistics(index - u.row_start, statistics);
  let start = index * u.value_columns - u.result_start;
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    store_new_result_quad(start, q, sums[q] * statistics.factor);
  }
}
