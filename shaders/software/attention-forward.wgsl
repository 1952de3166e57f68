// requires: Places, anchor_for, column_unit, keys_of, places_of, sink_of, softcapped, statistics_of
// requires: store_new_result_quad, store_statistics, u.batches, u.columns, u.first_batch, u.keys
// requires: u.result_start, u.row_start, u.rows, u.scale, u.value_columns, unscaled_weights, value_unit
// requires: workgroup_size
//#include "software/attention-pairs.wgsl"
// The forward direction for GPUs that are emulated on a CPU. The scale of a row's weights is chosen anew where a score is so much larger
// that sums might leave float32.

// The scale of a row stays until a score is this much larger than the one it was chosen for: weights may be e^11 times as large.
const rise = 11.0;

// Of each row the score that its scale is for, and the sum of its weights.
var<private> row_maxima: array<f32, 4>;
var<private> row_sums: array<f32, 4>;

// Makes weights of the products of a row and the keys from `key` on. `later`: there are sums of keys before them.
fn weigh(a: u32, at: Places, row: u32, index: u32, key: u32, later: bool) {
  let span = keys_of(row);
  let s = attended(softcapped(pairs[a] * u.scale), at.mask, row, key, span.first, span.last);
  let largest = max(max(s.x, s.y), max(s.z, s.w));
  let before = row_maxima[a];
  let rises = largest > before + rise;
  let row_max = select(before, largest, rises);
  let anchor = anchor_for(row_max);
  let factor = select(1.0, rescale(anchor_for(before), anchor), rises);
  let end = select(0u, quads_of(u.value_columns), rises & later);
  for (var q = 0u; q < end; q++) { sums[q][a] *= factor; }
  let w = unscaled_weights(s, anchor);
  row_maxima[a] = row_max;
  row_sums[a] = row_sums[a] * factor + ((w.x + w.y) + (w.z + w.w));
  keep_weights(a, w * kept_of_keys(key, index));
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let r = invocation.x + invocation.y * workgroups.x * workgroup_size;
  let blocks = quads_of(u.rows);
  if (r >= u.batches * blocks) {
    return;
  }
  let batch = u.first_batch + r / blocks;
  let row = r % blocks * 4u;
  let last_row = min(row + 4u, u.rows) - 1u;
  let at = places_of(batch);
  let index = batch * u.rows;
  let quads = quads_of(u.value_columns);
  let step = u.columns / column_unit;
  let value_step = u.value_columns / value_unit;
  let key_start = at.key / column_unit;
  let value_start = at.value / value_unit;
  let queries = four_rows(at.query / column_unit, step, row, u.rows);
  for (var q = 0u; q < quads; q++) {
    sums[q] = mat4x4f();
  }
  let sink = sink_of(at.head);
  let sink_weight = unscaled_weights(vec4f(sink), anchor_for(sink)).x;
  for (var a = 0u; a < 4u; a++) {
    row_maxima[a] = sink;
    row_sums[a] = sink_weight;
  }
  let first = keys_of(row).first;
  let end = keys_of(last_row).last;
  for (var key = first; key < end; key += 4u) {
    pairs = products_of_rows(queries, four_rows(key_start, step, key, u.keys));
    for (var a = 0u; a < 4u; a++) {
      let own = min(row + a, last_row);
      weigh(a, at, own, index + own, key, key > first);
    }
    let values = four_rows(value_start, value_step, key, u.keys);
    for (var q = 0u; q < quads; q++) { sums[q] = add_weighted(sums[q], value_quads(values, q)); }
  }
  for (var a = 0u; row + a <= last_row; a++) {
    let statistics = statistics_of(row_maxima[a], row_sums[a]);
    store_statistics(index + row + a - u.row_start, statistics);
    let start = (index + row + a) * u.value_columns - u.result_start;
    for (var q = 0u; q < quads; q++) {
      store_new_result_quad(start, q, sums[q][a] * statistics.factor);
    }
  }
}
