// requires: Places, column_unit, counts, grad_at, grad_quad, keep, key_quad, keys_of, masked, places_of
// requires: query_quad, result_at, rows_of, sink_of, softcapped, statistics_at, store_grad_key_quad
// requires: store_grad_mask, store_grad_query_quad, store_grad_sink, store_grad_value_quad
// requires: store_statistics, sum_quads, u.batches, u.columns, u.first_batch, u.grad_key_start
// requires: u.grad_mask_start, u.grad_query_start, u.grad_value_start, u.keys, u.mask_dims, u.mask_keys
// requires: u.mask_repeats, u.mask_rows, u.result_start, u.row_start, u.rows, u.scale, u.shape
// requires: u.shared_heads, u.value_columns, value_quad, value_unit, weights_of, workgroup_size
//#include "software/attention-pairs.wgsl"
// The backward direction for GPUs that are emulated on a CPU: an invocation has four rows of the query, or of key and value, and
// goes through what they take part in. An element of the mask, which has few pairs and is so computed on all
// GPUs, goes through them one by one.

// The sums of the gradients of four values; those of query or key are `sums`.
var<private> value_sums: array<mat4x4f, sum_quads>;

// Makes gradients of scores of the products of a row and the keys from `key` on. `index`: of the row among those of all batches.
fn slopes_of_row(a: u32, at: Places, row: u32, index: u32, key: u32) {
  let of_row = statistics_at(index - u.row_start);
  let own = PairStatistics(
    vec4f(of_row.shift),
    vec4f(of_row.scale),
    vec4f(of_row.factor),
    vec4f(of_row.delta),
  );
  let span = keys_of(row);
  let raw = pairs[a] * u.scale;
  let s = attended(softcapped(raw), at.mask, row, key, span.first, span.last);
  keep_weights(a, pairs_of(raw, s, kept_of_keys(key, index), upstream[a], own).product_slopes);
}

// The statistics of four rows from `row` on. `first`: the index of the batch's first row among those of all batches.
fn statistics_from(row: u32, first: u32) -> PairStatistics {
  let rows = vec4u(first - u.row_start) + min(vec4u(row) + next_four, vec4u(u.rows - 1u));
  let a = statistics_at(rows.x);
  let b = statistics_at(rows.y);
  let c = statistics_at(rows.z);
  let d = statistics_at(rows.w);
  return PairStatistics(
    vec4f(a.shift, b.shift, c.shift, d.shift),
    vec4f(a.scale, b.scale, c.scale, d.scale),
    vec4f(a.factor, b.factor, c.factor, d.factor),
    vec4f(a.delta, b.delta, c.delta, d.delta),
  );
}

// Makes weights, and in place of their gradients those of scores, of the products of a key and four rows from `row` on.
fn pairs_of_key(a: u32, at: Places, row: u32, first: u32, key: u32, own: PairStatistics) {
  let span = rows_of(key);
  let raw = pairs[a] * u.scale;
  let s = attending(softcapped(raw), at.mask, row, key, span.first, span.last);
  let made = pairs_of(raw, s, kept_of_rows(key, first + row), upstream[a], own);
  keep_weights(a, made.weights);
  upstream[a] = made.product_slopes;
}

// The row sum of gradient times result, which is that of weights times their gradients. Of the sinks, what this row adds.
@compute @workgroup_size(workgroup_size)
fn backward_delta(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let r = invocation.x + invocation.y * workgroups.x * workgroup_size;
  if (r >= u.batches * u.rows) {
    return;
  }
  let index = u.first_batch * u.rows + r;
  let start = (index * u.value_columns - u.result_start) / value_unit;
  var delta = 0.0;
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    delta += dot(grad_at(start, q), result_at(start, q));
  }
  var statistics = statistics_at(index - u.row_start);
  statistics.delta = delta;
  store_statistics(index - u.row_start, statistics);
  let share = weights_of(vec4f(sink_of(places_of(index / u.rows).head)), statistics).x;
  store_grad_sink(index - u.row_start, select(0.0, -share * delta, counts(share)));
}

@compute @workgroup_size(workgroup_size)
fn backward_query(
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
  let quads = quads_of(u.columns);
  let step = u.columns / column_unit;
  let value_step = u.value_columns / value_unit;
  let key_start = at.key / column_unit;
  let value_start = at.value / value_unit;
  let queries = four_rows(at.query / column_unit, step, row, u.rows);
  let results = four_rows(at.result / value_unit, value_step, row, u.rows);
  for (var q = 0u; q < quads; q++) {
    sums[q] = mat4x4f();
  }
  let end = keys_of(last_row).last;
  for (var key = keys_of(row).first; key < end; key += 4u) {
    let keys = four_rows(key_start, step, key, u.keys);
    pairs = products_of_rows(queries, keys);
    upstream = upstream_of_rows(results, four_rows(value_start, value_step, key, u.keys));
    for (var a = 0u; a < 4u; a++) {
      let own = min(row + a, last_row);
      slopes_of_row(a, at, own, index + own, key);
    }
    for (var q = 0u; q < quads; q++) { sums[q] = add_weighted(sums[q], key_quads(keys, q)); }
  }
  for (var a = 0u; row + a <= last_row; a++) {
    let start = (index + row + a) * u.columns - u.grad_query_start;
    for (var q = 0u; q < quads; q++) {
      store_grad_query_quad(start, q, sums[q][a]);
    }
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_key(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let r = invocation.x + invocation.y * workgroups.x * workgroup_size;
  let blocks = quads_of(u.keys);
  if (r >= u.batches / u.shared_heads * blocks) {
    return;
  }
  let slice = u.first_batch / u.shared_heads + r / blocks;
  let key = r % blocks * 4u;
  let last_key = min(key + 4u, u.keys) - 1u;
  let quads = quads_of(u.columns);
  let value_quads_each = quads_of(u.value_columns);
  let step = u.columns / column_unit;
  let value_step = u.value_columns / value_unit;
  for (var q = 0u; q < quads; q++) {
    sums[q] = mat4x4f();
  }
  for (var q = 0u; q < value_quads_each; q++) {
    value_sums[q] = mat4x4f();
  }
  let first = rows_of(key).first;
  let end = rows_of(last_key).last;
  for (var h = 0u; h < u.shared_heads; h++) {
    let batch = slice * u.shared_heads + h;
    let at = places_of(batch);
    let keys = four_rows(at.key / column_unit, step, key, u.keys);
    let values = four_rows(at.value / value_unit, value_step, key, u.keys);
    let query_start = at.query / column_unit;
    let result_start = at.result / value_unit;
    for (var row = first; row < end; row += 4u) {
      let queries = four_rows(query_start, step, row, u.rows);
      let results = four_rows(result_start, value_step, row, u.rows);
      pairs = products_of_keys(keys, queries);
      upstream = upstream_of_keys(values, results);
      let index = batch * u.rows;
      let statistics = statistics_from(row, index);
      for (var a = 0u; a < 4u; a++) {
        pairs_of_key(a, at, row, index, min(key + a, last_key), statistics);
      }
      for (var q = 0u; q < value_quads_each; q++) {
        value_sums[q] = add_weighted(value_sums[q], grad_quads(results, q));
      }
      for (var a = 0u; a < 4u; a++) { keep_weights(a, upstream[a]); }
      for (var q = 0u; q < quads; q++) { sums[q] = add_weighted(sums[q], query_quads(queries, q)); }
    }
  }
  for (var a = 0u; key + a <= last_key; a++) {
    let index = slice * u.keys + key + a;
    let start = index * u.columns - u.grad_key_start;
    for (var q = 0u; q < quads; q++) {
      store_grad_key_quad(start, q, sums[q][a]);
    }
    let value_start = index * u.value_columns - u.grad_value_start;
    for (var q = 0u; q < value_quads_each; q++) {
      store_grad_value_quad(value_start, q, value_sums[q][a]);
    }
  }
}

// The `n`th of the batches that share a mask.
fn batch_of(mask: u32, n: u32) -> u32 {
  var own = mask;
  var repeated = n;
  var batch = 0u;
  var step = 1u;
  for (var d = 8u; d > 0u; d--) {
    let i = d - 1u;
    let extent = u.shape[i / 4u][i % 4u];
    if (((u.mask_dims >> i) & 1u) == 1u) {
      batch += own % extent * step;
      own /= extent;
    } else {
      batch += repeated % extent * step;
      repeated /= extent;
    }
    step *= extent;
  }
  return batch;
}

// The gradient of one masked score. `index`: of the row among those of all batches.
fn slope_of(at: Places, row: u32, index: u32, key: u32) -> f32 {
  let query_start = at.query + row * u.columns;
  let key_start = at.key + key * u.columns;
  var product = 0.0;
  for (var q = 0u; q * 4u < u.columns; q++) {
    product += dot(query_quad(query_start, q), key_quad(key_start, q));
  }
  let s = masked(softcapped(vec4f(product * u.scale)).x, at.mask, row, key);
  let statistics = statistics_at(index - u.row_start);
  let weight = weights_of(vec4f(s), statistics).x;
  let kept = keep(key, index);
  if (!counts(weight)) {
    return 0.0;
  }
  var upstream = 0.0;
  if (counts(weight * kept)) {
    let above = index * u.value_columns - u.result_start;
    let value = at.value + key * u.value_columns;
    for (var q = 0u; q * 4u < u.value_columns; q++) {
      upstream += dot(grad_quad(above, q), value_quad(value, q));
    }
  }
  return weight * (upstream * kept - statistics.delta);
}

// An element of the mask gets what all rows and keys have that it is repeated for.
@compute @workgroup_size(workgroup_size)
fn backward_mask(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let r = invocation.x + invocation.y * workgroups.x * workgroup_size;
  let elements = u.mask_rows * u.mask_keys;
  if (r >= u.batches / u.mask_repeats * elements) {
    return;
  }
  let row = r % elements / u.mask_keys;
  let key = r % u.mask_keys;
  // Along what it is repeated, all; else its own index.
  let last_row = select(row + 1u, u.rows, u.mask_rows == 1u);
  let last_key = select(key + 1u, u.keys, u.mask_keys == 1u);
  let first = u.first_batch / u.mask_repeats + r / elements;
  var sum = 0.0;
  for (var n = 0u; n < u.mask_repeats; n++) {
    let batch = batch_of(first, n);
    let at = places_of(batch);
    for (var i = row; i < last_row; i++) {
      let span = keys_of(i);
      for (var j = max(key, span.first); j < min(last_key, span.last); j++) {
        sum += slope_of(at, i, batch * u.rows + i, j);
      }
    }
  }
  store_grad_mask(r - u.grad_mask_start, sum);
}
