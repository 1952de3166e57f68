// requires: Places, Span, counts, grad_quad, keep, key_quad, keys_of, masked, places_of, query_quad
// requires: result_quad, rows_of, sink_of, softcapped, statistics_at, store_grad_key_quad, store_grad_mask
// requires: store_grad_query_quad, store_grad_sink, store_grad_value_quad, store_statistics, u.batches
// requires: u.columns, u.first_batch, u.grad_key_start, u.grad_mask_start, u.grad_query_start
// requires: u.grad_value_start, u.keys, u.mask_dims, u.mask_keys, u.mask_repeats, u.mask_rows
// requires: u.result_start, u.row_start, u.rows, u.scale, u.shape, u.shared_heads, u.value_columns
// requires: value_quad, weights_of, workgroup_size
//#include "software/attention-pairs.wgsl"
// The backward direction for GPUs that are emulated on a CPU: an invocation has a row of the query, or of key and value, or an
// element of the mask, and goes through what it takes part in: rows and keys four pairs at a time, an element of the mask, which has
// few pairs and is so computed on all GPUs, one by one.

// Sums of at most 256 columns.
var<private> sums: array<vec4f, 64>;
var<private> value_sums: array<vec4f, 64>;

fn clear_sums() {
  for (var q = 0u; q < 64u; q++) {
    sums[q] = vec4f();
    value_sums[q] = vec4f();
  }
}

// Of a row and the four keys from `key` on. `index`: of the row among those of all batches.
fn pairs_of_row(at: Places, row: u32, index: u32, key: u32, span: Span) -> Pairs {
  let j = vec4u(key) + next_four;
  let keys = min(j, vec4u(u.keys - 1u));
  let raw = products_of_row(at.query + row * u.columns, vec4u(at.key) + keys * u.columns) * u.scale;
  let cut = softcapped(raw);
  var s: vec4f;
  var kept: vec4f;
  for (var c = 0u; c < 4u; c++) {
    s[c] = masked(cut[c], at.mask, row, keys[c]);
    kept[c] = keep(keys[c], index);
  }
  s = select(vec4f(-infinity()), s, (j >= vec4u(span.first)) & (j < vec4u(span.last)));
  let upstream = upstream_of_row(index * u.value_columns - u.result_start, vec4u(at.value) + keys * u.value_columns);
  let own = statistics_at(index - u.row_start);
  return pairs_of(
    raw,
    s,
    kept,
    upstream,
    PairStatistics(vec4f(own.shift), vec4f(own.scale), vec4f(own.factor), vec4f(own.delta)),
  );
}

// Of a key and the four rows from `row` on. `first`: the index of the batch's first row among those of all batches.
fn pairs_of_key(at: Places, row: u32, first: u32, key: u32, span: Span) -> Pairs {
  let i = vec4u(row) + next_four;
  let rows = min(i, vec4u(u.rows - 1u));
  let raw = products_of_key(at.key + key * u.columns, vec4u(at.query) + rows * u.columns) * u.scale;
  let cut = softcapped(raw);
  var s: vec4f;
  var kept: vec4f;
  var own: PairStatistics;
  for (var c = 0u; c < 4u; c++) {
    s[c] = masked(cut[c], at.mask, rows[c], key);
    kept[c] = keep(key, first + rows[c]);
    let one = statistics_at(first + rows[c] - u.row_start);
    own.shift[c] = one.shift;
    own.scale[c] = one.scale;
    own.factor[c] = one.factor;
    own.delta[c] = one.delta;
  }
  s = select(vec4f(-infinity()), s, (i >= vec4u(span.first)) & (i < vec4u(span.last)));
  let results = (vec4u(first) + rows) * u.value_columns - vec4u(u.result_start);
  return pairs_of(raw, s, kept, upstream_of_key(at.value + key * u.value_columns, results), own);
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
  let start = index * u.value_columns - u.result_start;
  var delta = 0.0;
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    delta += dot(grad_quad(start, q), result_quad(start, q));
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
  if (r >= u.batches * u.rows) {
    return;
  }
  let index = u.first_batch * u.rows + r;
  let row = r % u.rows;
  let at = places_of(index / u.rows);
  clear_sums();
  let span = keys_of(row);
  for (var key = span.first; key < span.last; key += 4u) {
    let slopes = pairs_of_row(at, row, index, key, span).product_slopes;
    let counted = counted_of(slopes);
    let keys = vec4u(at.key) + min(vec4u(key) + next_four, vec4u(u.keys - 1u)) * u.columns;
    for (var q = 0u; q * 4u < u.columns; q++) {
      sums[q] += weighted(
        slopes,
        counted,
        key_quad(keys.x, q),
        key_quad(keys.y, q),
        key_quad(keys.z, q),
        key_quad(keys.w, q),
      );
    }
  }
  let start = index * u.columns - u.grad_query_start;
  for (var q = 0u; q * 4u < u.columns; q++) {
    store_grad_query_quad(start, q, sums[q]);
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_key(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let r = invocation.x + invocation.y * workgroups.x * workgroup_size;
  if (r >= u.batches / u.shared_heads * u.keys) {
    return;
  }
  let index = u.first_batch / u.shared_heads * u.keys + r;
  let key = r % u.keys;
  clear_sums();
  let span = rows_of(key);
  for (var h = 0u; h < u.shared_heads; h++) {
    let batch = index / u.keys * u.shared_heads + h;
    let at = places_of(batch);
    for (var row = span.first; row < span.last; row += 4u) {
      let pairs = pairs_of_key(at, row, batch * u.rows, key, span);
      let rows = min(vec4u(row) + next_four, vec4u(u.rows - 1u));
      let results = (vec4u(batch * u.rows) + rows) * u.value_columns - vec4u(u.result_start);
      let weights_count = counted_of(pairs.weights);
      for (var q = 0u; q * 4u < u.value_columns; q++) {
        value_sums[q] += weighted(
          pairs.weights,
          weights_count,
          grad_quad(results.x, q),
          grad_quad(results.y, q),
          grad_quad(results.z, q),
          grad_quad(results.w, q),
        );
      }
      let queries = vec4u(at.query) + rows * u.columns;
      let slopes_count = counted_of(pairs.product_slopes);
      for (var q = 0u; q * 4u < u.columns; q++) {
        sums[q] += weighted(
          pairs.product_slopes,
          slopes_count,
          query_quad(queries.x, q),
          query_quad(queries.y, q),
          query_quad(queries.z, q),
          query_quad(queries.w, q),
        );
      }
    }
  }
  let start = index * u.columns - u.grad_key_start;
  for (var q = 0u; q * 4u < u.columns; q++) {
    store_grad_key_quad(start, q, sums[q]);
  }
  let value_start = index * u.value_columns - u.grad_value_start;
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    store_grad_value_quad(value_start, q, value_sums[q]);
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
