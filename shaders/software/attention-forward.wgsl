// requires: Places, anchor_for, keep, keys_of, places_of, sink_of, softcapped, statistics_of, store_new_result_quad
// requires: store_statistics, u.batches, u.columns, u.first_batch, u.keys, u.result_start, u.row_start, u.rows
// requires: u.scale, u.value_columns, unscaled_weights, value_quad, workgroup_size
//#include "software/attention-lines.wgsl"
// The forward direction for emulated GPUs: an invocation has four rows, and goes through the keys eight at a time.

// The sums of each row, of at most 256 columns, 0 at first: quads of the four rows side by side.
var<private> sums: array<vec4f, 256>;

// Of four rows and eight keys.
struct Block {
  a: Fragment,
  b: Fragment,
}

fn scores_of(at: Places, row: u32, key: u32) -> Block {
  let rows = starts_of(at.query, row, u.rows, u.columns);
  let keys = starts_of(at.key, key, u.keys, u.columns);
  let more = starts_of(at.key, key + 4u, u.keys, u.columns);
  var s = Block();
  for (var q = 0u; q * 4u < u.columns; q++) {
    let x = transpose(query_lines(rows, q));
    s.a = add_quads(s.a, transpose(key_lines(keys, q)), x);
    s.b = add_quads(s.b, transpose(key_lines(more, q)), x);
  }
  return s;
}

fn finished(f: Fragment, at: Places, row: u32, key: u32) -> Fragment {
  return attended_lines(
    Fragment(
      softcapped(f.r0 * u.scale),
      softcapped(f.r1 * u.scale),
      softcapped(f.r2 * u.scale),
      softcapped(f.r3 * u.scale),
    ),
    at,
    row,
    key,
  );
}

fn maxima(f: Fragment) -> vec4f {
  return max(max(f.r0, f.r1), max(f.r2, f.r3));
}

fn total(f: Fragment) -> vec4f {
  return (f.r0 + f.r1) + (f.r2 + f.r3);
}

fn weights_of_lines(f: Fragment, rows: Anchors) -> Fragment {
  return Fragment(
    weights_on(f.r0, rows),
    weights_on(f.r1, rows),
    weights_on(f.r2, rows),
    weights_on(f.r3, rows),
  );
}

fn kept(weights: vec4f, key: u32, index: u32) -> vec4f {
  return weights * vec4f(keep(key, index), keep(key, index + 1u), keep(key, index + 2u), keep(key, index + 3u));
}

fn kept_lines(f: Fragment, key: u32, index: u32) -> Fragment {
  return Fragment(
    kept(f.r0, key, index),
    kept(f.r1, key + 1u, index),
    kept(f.r2, key + 2u, index),
    kept(f.r3, key + 3u, index),
  );
}

fn value_lines(starts: vec4u, q: u32) -> mat4x4f {
  return mat4x4f(value_quad(starts.x, q), value_quad(starts.y, q), value_quad(starts.z, q), value_quad(starts.w, q));
}

// The scale of a row for its new maximum, and what its sums are multiplied by.
struct Raised {
  anchor: Anchor,
  factor: f32,
}

fn raised(rows: Anchors, r: u32, row_max: f32, largest: f32) -> Raised {
  let before = Anchor(rows.shift[r], rows.lowest[r], rows.scale[r]);
  if (!(largest > row_max)) {
    return Raised(before, 1.0);
  }
  let after = anchor_for(largest);
  return Raised(after, rescale(before, after));
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(
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
  let sink = sink_of(at.head);
  let begun = anchor_for(sink);
  var row_max = vec4f(sink);
  var rows = Anchors(vec4f(begun.shift), vec4f(begun.lowest), vec4i(begun.scale));
  var sum = vec4f(unscaled_weights(vec4f(sink), begun).x);
  let last = keys_of(min(row + 3u, u.rows - 1u)).last;
  for (var j = keys_of(row).first & 0xfffffffcu; j < last; j += 8u) {
    let scores = scores_of(at, row, j);
    let a = finished(scores.a, at, row, j);
    let b = finished(scores.b, at, row, j + 4u);
    let largest = max(maxima(a), maxima(b));
    if (any(largest > row_max)) {
      let r0 = raised(rows, 0u, row_max.x, largest.x);
      let r1 = raised(rows, 1u, row_max.y, largest.y);
      let r2 = raised(rows, 2u, row_max.z, largest.z);
      let r3 = raised(rows, 3u, row_max.w, largest.w);
      rows = Anchors(
        vec4f(r0.anchor.shift, r1.anchor.shift, r2.anchor.shift, r3.anchor.shift),
        vec4f(r0.anchor.lowest, r1.anchor.lowest, r2.anchor.lowest, r3.anchor.lowest),
        vec4i(r0.anchor.scale, r1.anchor.scale, r2.anchor.scale, r3.anchor.scale),
      );
      sum *= vec4f(r0.factor, r1.factor, r2.factor, r3.factor);
      for (var q = 0u; q < u.value_columns; q += 4u) {
        sums[q] *= r0.factor;
        sums[q + 1u] *= r1.factor;
        sums[q + 2u] *= r2.factor;
        sums[q + 3u] *= r3.factor;
      }
      row_max = select(row_max, largest, largest > row_max);
    }
    let weights_a = weights_of_lines(a, rows);
    let weights_b = weights_of_lines(b, rows);
    sum += total(weights_a) + total(weights_b);
    let kept_a = kept_lines(weights_a, j, index);
    let kept_b = kept_lines(weights_b, j + 4u, index);
    let plain = all_count(kept_a) && all_count(kept_b);
    let by_row_a = turned(kept_a);
    let by_row_b = turned(kept_b);
    let values = starts_of(at.value, j, u.keys, u.value_columns);
    let more = starts_of(at.value, j + 4u, u.keys, u.value_columns);
    for (var q = 0u; q * 4u < u.value_columns; q++) {
      let x = value_lines(values, q);
      let y = value_lines(more, q);
      sums[q * 4u] = add_lines(add_lines(sums[q * 4u], by_row_a[0], x, plain), by_row_b[0], y, plain);
      sums[q * 4u + 1u] = add_lines(add_lines(sums[q * 4u + 1u], by_row_a[1], x, plain), by_row_b[1], y, plain);
      sums[q * 4u + 2u] = add_lines(add_lines(sums[q * 4u + 2u], by_row_a[2], x, plain), by_row_b[2], y, plain);
      sums[q * 4u + 3u] = add_lines(add_lines(sums[q * 4u + 3u], by_row_a[3], x, plain), by_row_b[3], y, plain);
    }
  }
  for (var r = 0u; r < min(4u, u.rows - row); r++) {
    let statistics = statistics_of(row_max[r], sum[r]);
    store_statistics(index + r - u.row_start, statistics);
    let start = (index + r) * u.value_columns - u.result_start;
    for (var q = 0u; q * 4u < u.value_columns; q++) {
      store_new_result_quad(start, q, sums[q * 4u + r] * statistics.factor);
    }
  }
}
