// requires: Places, counts, grad_quad, keep, key_quad, keys_of, left_out, masked, places_of, query_quad, result_quad
// requires: rows_of, sink_of, softcap_slope, softcapped, statistics_at, store_grad_key_quad, store_grad_mask
// requires: store_grad_query_quad, store_grad_sink, store_grad_value_quad, store_statistics, u.batches, u.columns
// requires: u.first_batch, u.grad_key_start, u.grad_mask_start, u.grad_query_start, u.grad_value_start, u.keys
// requires: u.mask_dims, u.mask_keys, u.mask_repeats, u.mask_rows, u.result_start, u.row_start, u.rows, u.scale
// requires: u.shape, u.shared_heads, u.value_columns, value_quad, weights_of, workgroup_size
//#include "software/attention-lines.wgsl"
// The backward direction for emulated GPUs: an invocation has four rows of the query, or of key and value, or an element of the
// mask, and goes through what they take part in.

// Sums of at most 256 columns, 0 at first: quads of four rows, or of four keys, side by side.
var<private> sums: array<vec4f, 256>;
var<private> value_sums: array<vec4f, 256>;

fn grad_lines(starts: vec4u, q: u32) -> mat4x4f {
  return mat4x4f(grad_quad(starts.x, q), grad_quad(starts.y, q), grad_quad(starts.z, q), grad_quad(starts.w, q));
}

fn value_lines(starts: vec4u, q: u32) -> mat4x4f {
  return mat4x4f(value_quad(starts.x, q), value_quad(starts.y, q), value_quad(starts.z, q), value_quad(starts.w, q));
}

// What is kept of four rows.
struct Rows {
  anchors: Anchors,
  factor: vec4f,
  delta: vec4f,
}

// `index`: of the first row among those of all batches.
fn rows_at(row: u32, index: u32) -> Rows {
  let i = vec4u(index - u.row_start - row) + min(vec4u(row) + next_four, vec4u(u.rows - 1u));
  let a = statistics_at(i.x);
  let b = statistics_at(i.y);
  let c = statistics_at(i.z);
  let d = statistics_at(i.w);
  let scale = vec4f(a.scale, b.scale, c.scale, d.scale);
  // As anchor_at has it.
  let anchors = Anchors(vec4f(a.shift, b.shift, c.shift, d.shift), -scale * 0x1.62e43p-1f, vec4i(scale));
  return Rows(anchors, vec4f(a.factor, b.factor, c.factor, d.factor), vec4f(a.delta, b.delta, c.delta, d.delta));
}

// Of four rows and four keys: what values are multiplied by, and the gradients of the products of query and key.
struct Block {
  weights: Fragment,
  slopes: Fragment,
}

// The same of one key.
struct Line {
  weights: vec4f,
  slopes: vec4f,
}

fn line_of(score: vec4f, raw: vec4f, upstream: vec4f, rows: Rows, key: u32, index: u32) -> Line {
  let weights = weights_on(score, rows.anchors) * rows.factor;
  // Also of a row that is NaN, what is left out has 0.
  let own = select(weights, vec4f(), left_out(score));
  let kept = vec4f(keep(key, index), keep(key, index + 1u), keep(key, index + 2u), keep(key, index + 3u));
  let dropped = own * kept;
  let above = select(vec4f(), upstream, count_of(dropped));
  let slopes = own * (above * kept - rows.delta) * softcap_slope(raw) * u.scale;
  return Line(select(vec4f(), dropped, count_of(own)), select(vec4f(), slopes, count_of(own)));
}

fn block_of(at: Places, row: u32, index: u32, key: u32, rows: Rows) -> Block {
  let queries = starts_of(at.query, row, u.rows, u.columns);
  let keys = starts_of(at.key, key, u.keys, u.columns);
  var products = Fragment();
  for (var q = 0u; q * 4u < u.columns; q++) {
    products = add_quads(products, transpose(key_lines(keys, q)), transpose(query_lines(queries, q)));
  }
  let grads = starts_of((index - row) * u.value_columns - u.result_start, row, u.rows, u.value_columns);
  let values = starts_of(at.value, key, u.keys, u.value_columns);
  var upstream = Fragment();
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    upstream = add_quads(upstream, transpose(value_lines(values, q)), transpose(grad_lines(grads, q)));
  }
  let raw = Fragment(products.r0 * u.scale, products.r1 * u.scale, products.r2 * u.scale, products.r3 * u.scale);
  let s = attended_lines(
    Fragment(softcapped(raw.r0), softcapped(raw.r1), softcapped(raw.r2), softcapped(raw.r3)),
    at,
    row,
    key,
  );
  let a = line_of(s.r0, raw.r0, upstream.r0, rows, key, index);
  let b = line_of(s.r1, raw.r1, upstream.r1, rows, key + 1u, index);
  let c = line_of(s.r2, raw.r2, upstream.r2, rows, key + 2u, index);
  let d = line_of(s.r3, raw.r3, upstream.r3, rows, key + 3u, index);
  return Block(
    Fragment(a.weights, b.weights, c.weights, d.weights),
    Fragment(a.slopes, b.slopes, c.slopes, d.slopes),
  );
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
  let i = invocation.x + invocation.y * workgroups.x * workgroup_size;
  let tiles = (u.rows + 3u) / 4u;
  if (i >= u.batches * tiles) {
    return;
  }
  let batch = u.first_batch + i / tiles;
  let row = i % tiles * 4u;
  let at = places_of(batch);
  let index = batch * u.rows + row;
  let rows = rows_at(row, index);
  let last = keys_of(min(row + 3u, u.rows - 1u)).last;
  for (var key = keys_of(row).first & 0xfffffffcu; key < last; key += 4u) {
    let slopes = block_of(at, row, index, key, rows).slopes;
    let plain = all_count(slopes);
    let by_row = turned(slopes);
    let keys = starts_of(at.key, key, u.keys, u.columns);
    for (var q = 0u; q * 4u < u.columns; q++) {
      let x = key_lines(keys, q);
      sums[q * 4u] = add_lines(sums[q * 4u], by_row[0], x, plain);
      sums[q * 4u + 1u] = add_lines(sums[q * 4u + 1u], by_row[1], x, plain);
      sums[q * 4u + 2u] = add_lines(sums[q * 4u + 2u], by_row[2], x, plain);
      sums[q * 4u + 3u] = add_lines(sums[q * 4u + 3u], by_row[3], x, plain);
    }
  }
  for (var r = 0u; r < min(4u, u.rows - row); r++) {
    let start = (index + r) * u.columns - u.grad_query_start;
    for (var q = 0u; q * 4u < u.columns; q++) {
      store_grad_query_quad(start, q, sums[q * 4u + r]);
    }
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_key(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let i = invocation.x + invocation.y * workgroups.x * workgroup_size;
  let tiles = (u.keys + 3u) / 4u;
  if (i >= u.batches / u.shared_heads * tiles) {
    return;
  }
  let group = u.first_batch / u.shared_heads + i / tiles;
  let key = i % tiles * 4u;
  let last = rows_of(min(key + 3u, u.keys - 1u)).last;
  for (var h = 0u; h < u.shared_heads; h++) {
    let batch = group * u.shared_heads + h;
    let at = places_of(batch);
    for (var row = rows_of(key).first & 0xfffffffcu; row < last; row += 4u) {
      let index = batch * u.rows + row;
      let block = block_of(at, row, index, key, rows_at(row, index));
      let grads = starts_of(batch * u.rows * u.value_columns - u.result_start, row, u.rows, u.value_columns);
      let plain = all_count(block.weights);
      for (var q = 0u; q * 4u < u.value_columns; q++) {
        let x = grad_lines(grads, q);
        value_sums[q * 4u] = add_lines(value_sums[q * 4u], block.weights.r0, x, plain);
        value_sums[q * 4u + 1u] = add_lines(value_sums[q * 4u + 1u], block.weights.r1, x, plain);
        value_sums[q * 4u + 2u] = add_lines(value_sums[q * 4u + 2u], block.weights.r2, x, plain);
        value_sums[q * 4u + 3u] = add_lines(value_sums[q * 4u + 3u], block.weights.r3, x, plain);
      }
      let queries = starts_of(at.query, row, u.rows, u.columns);
      let steep = all_count(block.slopes);
      for (var q = 0u; q * 4u < u.columns; q++) {
        let x = query_lines(queries, q);
        sums[q * 4u] = add_lines(sums[q * 4u], block.slopes.r0, x, steep);
        sums[q * 4u + 1u] = add_lines(sums[q * 4u + 1u], block.slopes.r1, x, steep);
        sums[q * 4u + 2u] = add_lines(sums[q * 4u + 2u], block.slopes.r2, x, steep);
        sums[q * 4u + 3u] = add_lines(sums[q * 4u + 3u], block.slopes.r3, x, steep);
      }
    }
  }
  for (var c = 0u; c < min(4u, u.keys - key); c++) {
    let own = group * u.keys + key + c;
    for (var q = 0u; q * 4u < u.columns; q++) {
      store_grad_key_quad(own * u.columns - u.grad_key_start, q, sums[q * 4u + c]);
    }
    for (var q = 0u; q * 4u < u.value_columns; q++) {
      store_grad_value_quad(own * u.value_columns - u.grad_value_start, q, value_sums[q * 4u + c]);
    }
  }
}

// A row and a key.
struct Pair {
  weight: f32, // what the value is multiplied by
  slope: f32, // the gradient of the masked score
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
  return Pair(dropped, slope);
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
