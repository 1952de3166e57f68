// requires: Places, counts, grad_quad, keep, key_quad, keys_of, masked, places_of, query_quad, result_quad, rows_of
// requires: sink_of, softcap_slope, softcapped, statistics_at, store_grad_key_quad, store_grad_mask
// requires: store_grad_query_quad, store_grad_sink, store_grad_value_quad, store_statistics, u.batches, u.columns
// requires: u.first_batch, u.grad_key_start, u.grad_mask_start, u.grad_query_start, u.grad_value_start, u.keys
// requires: u.mask_dims, u.mask_keys, u.mask_repeats, u.mask_rows, u.result_start, u.row_start, u.rows, u.scale
// requires: u.shape, u.shared_heads, u.value_columns, value_quad, weights_of, workgroup_size
// The backward direction for GPUs that are emulated on a CPU: an invocation has a row of the query, or of key and value, or an
// element of the mask, and goes through what it takes part in, pair by pair.

// Sums of at most 256 columns.
var<private> sums: array<vec4f, 64>;
var<private> value_sums: array<vec4f, 64>;

fn clear_sums() {
  for (var q = 0u; q < 64u; q++) {
    sums[q] = vec4f();
    value_sums[q] = vec4f();
  }
}

// A row and a key.
struct Pair {
  weight: f32, // what the value is multiplied by
  slope: f32, // the gradient of the masked score
  product_slope: f32, // that of the product of query and key
}

// `index`: of the row among those of all batches.
fn pair_of(at: Places, row: u32, index: u32, key: u32) -> Pair {
  let query_start = at.query + row * u.columns;
  let key_start = at.key + key * u.columns;
  var product = 0.0;
  for (var q = 0u; q * 4u < u.columns; q++) {
    product += dot(query_quad(query_start, q), key_quad(key_start, q));
  }
  let raw = product * u.scale;
  let s = masked(softcapped(vec4f(raw)).x, at.mask, row, key);
  let statistics = statistics_at(index - u.row_start);
  let weight = weights_of(vec4f(s), statistics).x;
  let kept = keep(key, index);
  let dropped = weight * kept;
  if (!counts(weight)) {
    return Pair();
  }
  var upstream = 0.0;
  if (counts(dropped)) {
    let above = index * u.value_columns - u.result_start;
    let value = at.value + key * u.value_columns;
    for (var q = 0u; q * 4u < u.value_columns; q++) {
      upstream += dot(grad_quad(above, q), value_quad(value, q));
    }
  }
  let slope = weight * (upstream * kept - statistics.delta);
  return Pair(dropped, slope, slope * softcap_slope(vec4f(raw)).x * u.scale);
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
  for (var key = span.first; key < span.last; key++) {
    let slope = pair_of(at, row, index, key).product_slope;
    if (counts(slope)) {
      for (var q = 0u; q * 4u < u.columns; q++) {
        sums[q] += slope * key_quad(at.key + key * u.columns, q);
      }
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
    for (var row = span.first; row < span.last; row++) {
      let pair = pair_of(at, row, batch * u.rows + row, key);
      if (counts(pair.weight)) {
        let above = (batch * u.rows + row) * u.value_columns - u.result_start;
        for (var q = 0u; q * 4u < u.value_columns; q++) {
          value_sums[q] += pair.weight * grad_quad(above, q);
        }
      }
      if (counts(pair.product_slope)) {
        for (var q = 0u; q * 4u < u.columns; q++) {
          sums[q] += pair.product_slope * query_quad(at.query + row * u.columns, q);
        }
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
        sum += pair_of(at, i, batch * u.rows + i, j).slope;
      }
    }
  }
  store_grad_mask(r - u.grad_mask_start, sum);
}
