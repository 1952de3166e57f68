// requires: anchor_at, anchor_for, headroom, infinity, is_inf, keys_of, nan, places_of, rescale, sink_of
// requires: statistics_at_scale, store_statistics, u.batches, u.first_batch, u.row_start, u.rows, unscaled_weights
//#include "kernels/attention/tiles.wgsl"
// The forward direction: a workgroup has 32 rows, and goes through the keys 64 at a time. Scores are sums over steps of 32
// columns; their weights, in two halves of 32 keys, are then the rows of the product with the values. An invocation computes the
// scores of four rows and four keys, and of the result four rows and four columns in each block of 64.
//
// All weights of a row are on one scale, that of the largest score when it was chosen. It is chosen anew where a score is so
// much larger that sums might leave float32: seldom after the first keys.

// A weight may be so many powers of e larger than the largest was on its scale.
const rise = 11.0;
// Stands for the scale of a row without a score yet.
const no_scale = 400.0;

// Of four rows: the scales of their weights, and the sums of this invocation's.
struct RowScales {
  shift: vec4f,
  scale: vec4f,
  sum: vec4f,
}

fn largest(v: vec4f) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

fn maxima(f: Fragment) -> vec4f {
  return vec4f(largest(f.r0), largest(f.r1), largest(f.r2), largest(f.r3));
}

// A scale, and what takes sums to it from another.
struct Raised {
  shift: f32,
  scale: f32,
  factor: f32,
}

fn raised(shift: f32, scale: f32, row_max: f32) -> Raised {
  let limit = fma(f32(157 - headroom) - scale, 0x1.62e43p-1f, shift + rise);
  if (!(row_max > select(limit, -infinity(), scale == no_scale))) {
    return Raised(shift, scale, 1.0);
  }
  let next = anchor_for(row_max);
  // Beside a score of +Inf all weights of the row are NaN.
  let wrong = is_inf(row_max);
  let factor = rescale(anchor_at(shift, i32(scale)), next);
  return Raised(select(next.shift, nan(), wrong), f32(next.scale), select(factor, nan(), wrong));
}

// Chooses the scales anew where that is necessary, and gives what sums so far are multiplied by.
fn raise_rows(rows: ptr<function, RowScales>, row_max: vec4f) -> vec4f {
  let a = raised((*rows).shift.x, (*rows).scale.x, row_max.x);
  let b = raised((*rows).shift.y, (*rows).scale.y, row_max.y);
  let c = raised((*rows).shift.z, (*rows).scale.z, row_max.z);
  let d = raised((*rows).shift.w, (*rows).scale.w, row_max.w);
  let factor = vec4f(a.factor, b.factor, c.factor, d.factor);
  *rows = RowScales(
    vec4f(a.shift, b.shift, c.shift, d.shift),
    vec4f(a.scale, b.scale, c.scale, d.scale),
    (*rows).sum * factor,
  );
  return factor;
}

fn begun(sink: f32, x: u32) -> RowScales {
  let anchor = anchor_for(sink);
  let none = bitcast<u32>(sink) == 0xff800000u;
  // One of the invocations that share a row has the weight of the sink.
  let sum = select(0.0, unscaled_weights(vec4f(sink), anchor).x, x == 0u);
  let shift = select(anchor.shift, nan(), is_inf(sink) & !none);
  return RowScales(vec4f(shift), vec4f(select(f32(anchor.scale), no_scale, none)), vec4f(sum));
}

// The factors of four rows; one invocation stores what is kept of them.
fn finish_rows(rows: RowScales, total: vec4f, index: u32, row: u32, stores: bool) -> vec4f {
  var factors: vec4f;
  for (var r = 0u; r < 4u; r++) {
    let statistics = statistics_at_scale(rows.shift[r], rows.scale[r], total[r]);
    factors[r] = statistics.factor;
    if (stores && row + r < u.rows) {
      store_statistics(index + r - u.row_start, statistics);
    }
  }
  return factors;
}

fn scaled(f: Fragment, factor: vec4f) -> Fragment {
  return Fragment(f.r0 * factor.x, f.r1 * factor.y, f.r2 * factor.z, f.r3 * factor.w);
}

fn scaled_sums(sums: Sums, factor: vec4f) -> Sums {
  var next = sums;
  next.a = scaled(sums.a, factor);
  if (value_blocks > 1u) { next.b = scaled(sums.b, factor); }
  if (value_blocks > 2u) { next.c = scaled(sums.c, factor); }
  if (value_blocks > 3u) { next.d = scaled(sums.d, factor); }
  return next;
}

fn weights_on(scale: RowScales, r: u32, score: vec4f) -> vec4f {
  return unscaled_weights(score, anchor_at(scale.shift[r], i32(scale.scale[r])));
}

@compute @workgroup_size(lanes)
fn forward_tiles(
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
  let index = batch * u.rows + row;
  // What no row of the tile attends to is left out; `inside` are keys that all of them attend to.
  let first_key = keys_of(first_row).first / tile_columns * tile_columns;
  let end_key = keys_of(last_row).last;
  let first_inside = keys_of(last_row).first;
  let end_inside = keys_of(first_row).last;
  let sink = sink_of(at.head);
  var rows: RowScales;
  var sums: Sums;
  // Once more, with care, where a result is not finite: it may be for the values of keys that are left out.
  for (var round = 0u; round < 2u; round++) {
    let careful = round > 0u;
    rows = begun(sink, x);
    sums = Sums();
    for (var key = first_key; key < end_key; key += tile_columns) {
      let inside = key >= first_inside && key + tile_columns <= end_inside;
      let own_key = key + x * 4u;
      var s = products_of(of_query, of_key, at, first_row, key, y, x);
      s = Fragment(
        finished(s.r0, at, row, own_key, inside),
        finished(s.r1, at, row + 1u, own_key, inside),
        finished(s.r2, at, row + 2u, own_key, inside),
        finished(s.r3, at, row + 3u, own_key, inside),
      );
      let factor = raise_rows(&rows, over_lanes(maxima(s), lane, y, x, false));
      // Not 1, or NaN.
      if (!all(factor == vec4f(1.0))) {
        sums = scaled_sums(sums, factor);
      }
      let w = Fragment(
        weights_on(rows, 0u, s.r0),
        weights_on(rows, 1u, s.r1),
        weights_on(rows, 2u, s.r2),
        weights_on(rows, 3u, s.r3),
      );
      rows.sum += vec4f(sum_of(w.r0), sum_of(w.r1), sum_of(w.r2), sum_of(w.r3));
      let kept = Fragment(
        w.r0 * kept_of(own_key, index),
        w.r1 * kept_of(own_key, index + 1u),
        w.r2 * kept_of(own_key, index + 2u),
        w.r3 * kept_of(own_key, index + 3u),
      );
      sums = add_rows(sums, kept, of_value, at, key, y, x, careful);
    }
    if (!any_lane(are_wrong(sums), lane, y, x)) {
      break;
    }
  }
  let total = over_lanes(rows.sum, lane, y, x, true);
  let factor = finish_rows(rows, total, index, row, x == 0u);
  store_rows(of_result, scaled_sums(sums, factor), index, row, x);
}
