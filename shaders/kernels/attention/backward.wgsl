// requires: Places, anchored_exp_each, infinity, keep, keys_of, left_out, places_of, rows_of, softcap_slope
// requires: softcapped, statistics_at, u.batches, u.first_batch, u.keys, u.row_start, u.rows, u.scale, u.shared_heads
// requires: weights_of
//#include "kernels/attention/tiles.wgsl"
// The backward direction: one entry point for the gradient of the query, whose workgroups have 32 rows and go through the keys, one
// for those of key and value, whose workgroups have 32 keys and go through the rows: nothing is added by two workgroups.

override with_key: bool = true; // which gradients `backward_key_tiles` computes
override with_value: bool = true;

// Which of four weights, or gradients of scores, are not 0.
fn count4(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) != vec4u();
}

// The gradient of products of query and key, from their weights and what comes from above. What is dropped gets nothing from there.
fn slopes_of(products: vec4f, upstream: vec4f, kept: vec4f, weights: vec4f, delta: vec4f) -> vec4f {
  let above = select(vec4f(), upstream * kept, count4(kept));
  let slope = weights * (above - delta) * softcap_slope(products * u.scale) * u.scale;
  return select(vec4f(), slope, count4(weights));
}

fn row_slopes(products: vec4f, upstream: vec4f, at: Places, row: u32, batch: u32, key: u32, inside: bool) -> vec4f {
  let index = batch * u.rows + min(row, u.rows - 1u);
  let statistics = statistics_at(index - u.row_start);
  let weights = weights_of(finished(products, at, row, key, inside), statistics);
  return slopes_of(products, upstream, kept_of(key, index), weights, vec4f(statistics.delta));
}

@compute @workgroup_size(lanes)
fn backward_query_tiles(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup.x + workgroup.y * workgroups.x;
  let tiles = (u.rows + tile_rows - 1u) / tile_rows;
  if (i / tiles >= u.batches) {
    return;
  }
  let batch = u.first_batch + i / tiles;
  let first_row = i % tiles * tile_rows;
  let last_row = min(first_row + tile_rows, u.rows) - 1u;
  let at = places_of(batch);
  let x = lane % 16u;
  let y = lane / 16u;
  let row = first_row + y * 4u;
  let first_key = keys_of(first_row).first / tile_columns * tile_columns;
  let end_key = keys_of(last_row).last;
  let first_inside = keys_of(last_row).first;
  let end_inside = keys_of(first_row).last;
  var sums: Sums;
  for (var round = 0u; round < 2u; round++) {
    let careful = round > 0u;
    sums = Sums();
    for (var key = first_key; key < end_key; key += tile_columns) {
      let inside = key >= first_inside && key + tile_columns <= end_inside;
      let own_key = key + x * 4u;
      let s = products_of(of_query, of_key, at, first_row, key, y, x);
      let above = products_of(of_result, of_value, at, first_row, key, y, x);
      let slopes = Fragment(
        row_slopes(s.r0, above.r0, at, row, batch, own_key, inside),
        row_slopes(s.r1, above.r1, at, row + 1u, batch, own_key, inside),
        row_slopes(s.r2, above.r2, at, row + 2u, batch, own_key, inside),
        row_slopes(s.r3, above.r3, at, row + 3u, batch, own_key, inside),
      );
      sums = add_rows(sums, slopes, of_key, at, key, y, x, careful);
    }
    if (!any_lane(are_wrong(sums), lane, y, x)) {
      break;
    }
  }
  let index = batch * u.rows + row;
  store_rows(of_query, sums, index, row, x);
}

// What is kept of four rows, each number together.
struct FourRows {
  shift: vec4f,
  scale: vec4f,
  factor: vec4f,
  delta: vec4f,
}

fn four_rows(batch: u32, row: u32) -> FourRows {
  let start = batch * u.rows - u.row_start;
  let last = u.rows - 1u;
  let a = statistics_at(start + min(row, last));
  let b = statistics_at(start + min(row + 1u, last));
  let c = statistics_at(start + min(row + 2u, last));
  let d = statistics_at(start + min(row + 3u, last));
  return FourRows(
    vec4f(a.shift, b.shift, c.shift, d.shift),
    vec4f(a.scale, b.scale, c.scale, d.scale),
    vec4f(a.factor, b.factor, c.factor, d.factor),
    vec4f(a.delta, b.delta, c.delta, d.delta),
  );
}

// The weights of a key in four rows.
fn key_weights(products: vec4f, at: Places, key: u32, row: u32, rows: FourRows, inside: bool) -> vec4f {
  let capped = softcapped(products * u.scale);
  let j = vec4u(row) + vec4u(0u, 1u, 2u, 3u);
  var s = masked_quad(capped, at.mask, min(j, vec4u(u.rows - 1u)), vec4u(min(key, u.keys - 1u)));
  if (!inside) {
    let span = rows_of(key);
    s = select(vec4f(-infinity()), s, (j >= vec4u(span.first)) & (j < vec4u(span.last)));
  }
  let scale = vec4i(rows.scale);
  let weights = anchored_exp_each(s, rows.shift, vec4f(-scale) * 0x1.62e43p-1f, scale) * rows.factor;
  return select(weights, vec4f(), left_out(s));
}

fn kept_by(key: u32, index: u32) -> vec4f {
  return vec4f(keep(key, index), keep(key, index + 1u), keep(key, index + 2u), keep(key, index + 3u));
}

@compute @workgroup_size(lanes)
fn backward_key_tiles(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup.x + workgroup.y * workgroups.x;
  let tiles = (u.keys + tile_rows - 1u) / tile_rows;
  if (i / tiles >= u.batches / u.shared_heads) {
    return;
  }
  let key_batch = u.first_batch / u.shared_heads + i / tiles;
  let first_key = i % tiles * tile_rows;
  let last_key = min(first_key + tile_rows, u.keys) - 1u;
  let x = lane % 16u;
  let y = lane / 16u;
  let key = first_key + y * 4u;
  let first_row = rows_of(first_key).first / tile_columns * tile_columns;
  let end_row = rows_of(last_key).last;
  let first_inside = rows_of(last_key).first;
  let end_inside = rows_of(first_key).last;
  var sums: Sums;
  var value_sums: Sums;
  for (var round = 0u; round < 2u; round++) {
    let careful = round > 0u;
    sums = Sums();
    value_sums = Sums();
    for (var head = 0u; head < u.shared_heads; head++) {
      let batch = key_batch * u.shared_heads + head;
      let at = places_of(batch);
      for (var row = first_row; row < end_row; row += tile_columns) {
        let inside = row >= first_inside && row + tile_columns <= end_inside;
        let own_row = row + x * 4u;
        let index = batch * u.rows + own_row;
        let rows = four_rows(batch, own_row);
        let s = products_of(of_key, of_query, at, first_key, row, y, x);
        let weights = Fragment(
          key_weights(s.r0, at, key, own_row, rows, inside),
          key_weights(s.r1, at, key + 1u, own_row, rows, inside),
          key_weights(s.r2, at, key + 2u, own_row, rows, inside),
          key_weights(s.r3, at, key + 3u, own_row, rows, inside),
        );
        if (with_value) {
          let kept = Fragment(
            weights.r0 * kept_by(key, index),
            weights.r1 * kept_by(key + 1u, index),
            weights.r2 * kept_by(key + 2u, index),
            weights.r3 * kept_by(key + 3u, index),
          );
          value_sums = add_rows(value_sums, kept, of_result, at, row, y, x, careful);
        }
        if (with_key) {
          let above = products_of(of_value, of_result, at, first_key, row, y, x);
          let slopes = Fragment(
            slopes_of(s.r0, above.r0, kept_by(key, index), weights.r0, rows.delta),
            slopes_of(s.r1, above.r1, kept_by(key + 1u, index), weights.r1, rows.delta),
            slopes_of(s.r2, above.r2, kept_by(key + 2u, index), weights.r2, rows.delta),
            slopes_of(s.r3, above.r3, kept_by(key + 3u, index), weights.r3, rows.delta),
          );
          sums = add_rows(sums, slopes, of_query, at, row, y, x, careful);
        }
      }
    }
    if (!any_lane(are_wrong(sums) | are_wrong(value_sums), lane, y, x)) {
      break;
    }
  }
  let index = key_batch * u.keys + key;
  if (with_key) {
    store_rows(of_key, sums, index, key, x);
  }
  if (with_value) {
    store_rows(of_value, value_sums, index, key, x);
  }
}
