//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
//#include "lib/log1p.wgsl"
// requires: Grid, LEFT_OUT, POSITIVE, column_line, combine_max, combine_sum, factor_of_products, invocation_index
// requires: lane_of, logit_of, own_product, pair_of, products, row_of, store_column_line, store_loss, store_own_grad
// requires: store_row_line, two_way, u.all_rows, u.columns, u.factor, u.first, u.fresh, u.rows, u.segments
// requires: upstream_of, with_own, workgroup_size
// The part of contrastive.wgsl for losses by softmax: the logarithm of the sum of e^z over a line, which is a row or a
// column, less the mean z of its positives.

// What gradients need to know of a line: the largest logit, the factor of e^(z - max), the gradient of a positive's logit if
// there is one only, else what positives have less than others, and how many positives there are.
@group(0) @binding(2) var<storage, read_write> row_lines: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> parts: array<f32>;
@group(0) @binding(10) var<storage, read_write> column_lines: array<vec4f>;

const LOWEST = -0x1.fffffep+127f;

struct Line {
  max: f32,
  // The sum of e^(z - max) without the largest logit, so 1 less than over all of them; -1 if there are none.
  sum_others: f32,
  below: f32, // the sum of (max - z) / 16 over the positives; the division prevents overflow
  count: f32, // of positives
}

fn loss_of(line: Line) -> f32 {
  // The log-softmax of a line is undefined if it contains NaN or +Inf, or nothing but -Inf.
  let broken = line.sum_others < 0.0 || is_inf(line.max);
  let log_sum = select(nl_log1p(line.sum_others), nan(), broken);
  let below = select(line.below / line.count, line.below, line.count == 1.0);
  return select(log_sum + 16.0 * below, 0.0, line.count == 0.0);
}

// `i` counts rows, then columns.
fn finish(line: Line, i: u32) -> vec4f {
  let loss = loss_of(line);
  store_loss(i, u.factor * loss);
  let w = u.factor * upstream_of(i);
  let broken = is_nan(loss) && line.count > 0.0;
  let at = select(w / line.count, w * nl_expm1(-loss), line.count == 1.0);
  return vec4f(line.max, select(w / (1.0 + line.sum_others), nan(), broken), at, line.count);
}

// The gradient of a logit by way of one line's loss. A line without positives has none.
fn by_line(line: vec4f, logit: f32, pair: u32) -> f32 {
  let p = line.y * nl_exp(logit - line.x);
  let at = select(p - line.z, line.z, line.w == 1.0);
  return select(select(p, at, pair == POSITIVE), 0.0, line.w == 0.0);
}

fn gradient_of(row: u32, column: u32, logit: f32, pair: u32) -> f32 {
  var g = by_line(row_lines[row], logit, pair);
  if (two_way) {
    g += by_line(column_line(column), logit, pair);
  }
  return select(g, 0.0, pair == LEFT_OUT);
}

@compute @workgroup_size(workgroup_size)
fn rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let row = u.first + r;
  let base = r * u.columns;
  let lane = lane_of(local);
  let leads = lane.first == 0u;
  var high = LOWEST;
  for (var j = lane.first; j < u.columns; j += lane.step) {
    let z = logit_of(products[base + j]);
    high = select(high, z, z > high && pair_of(row, j) != LEFT_OUT);
  }
  var own = 0.0;
  if (with_own) {
    own = logit_of(own_product(r));
    high = select(high, own, own > high);
  }
  high = combine_max(high, local);
  // How many logits are the largest, beside the sum of e^(z - max) of the others; positives beside their number.
  var sums = vec2f();
  var positives = vec2f();
  if (with_own && leads) {
    sums = select(vec2f(nl_exp(own - high), 0.0), vec2f(0.0, 1.0), own == high);
    positives = vec2f(0x1p-4f * high - 0x1p-4f * own, 1.0);
  }
  // Added in blocks of 32, so that the rounding error grows with the number of blocks.
  var j = lane.first;
  while (j < u.columns) {
    var block = vec4f();
    for (var k = 0u; k < 32u && j < u.columns; k++) {
      let z = logit_of(products[base + j]);
      let pair = pair_of(row, j);
      let e = select(vec2f(nl_exp(z - high), 0.0), vec2f(0.0, 1.0), z == high);
      let below = vec2f(0x1p-4f * high - 0x1p-4f * z, 1.0);
      block += vec4f(select(e, vec2f(), pair == LEFT_OUT), select(vec2f(), below, pair == POSITIVE));
      j += lane.step;
    }
    sums += block.xy;
    positives += block.zw;
  }
  sums = combine_sum(sums, local);
  positives = combine_sum(positives, local);
  if (leads) {
    let line = Line(high, sums.x + (sums.y - 1.0), positives.x, positives.y);
    let found = finish(line, row);
    store_row_line(row, found);
    store_own_grad(r, found.z * factor_of_products());
  }
}

// Combines two parts of a column.
fn join(a: vec3f, b: vec3f) -> vec3f {
  let swapped = b.x > a.x;
  let high = select(a, b, swapped);
  let low = select(b, a, swapped);
  return vec3f(high.x, high.y + (1.0 + low.y) * nl_exp(low.x - high.x), a.z + b.z);
}

fn load_part(i: u32) -> vec3f {
  let n = u.columns * u.segments;
  return vec3f(parts[i], parts[n + i], parts[2u * n + i]);
}

// Adds a chunk of rows to the parts of all columns: the largest logit, the sum of the others, and the logit of the row that
// belongs to the column, 0 if it is in another part. Neighbouring invocations have neighbouring columns.
@compute @workgroup_size(workgroup_size)
fn columns(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let i = invocation_index(grid, local);
  let n = u.columns * u.segments;
  if (i >= n) {
    return;
  }
  let column = i % u.columns;
  let segment = i / u.columns;
  var high = LOWEST;
  for (var r = segment; r < u.rows; r += u.segments) {
    let z = logit_of(products[r * u.columns + column]);
    high = select(high, z, z > high);
  }
  var sums = vec2f();
  var own = 0.0;
  var r = segment;
  while (r < u.rows) {
    var block = vec2f();
    for (var k = 0u; k < 32u && r < u.rows; k++) {
      let z = logit_of(products[r * u.columns + column]);
      block += select(vec2f(nl_exp(z - high), 0.0), vec2f(0.0, 1.0), z == high);
      own = select(own, z, u.first + r == column);
      r += u.segments;
    }
    sums += block;
  }
  var part = vec3f(high, sums.x + (sums.y - 1.0), own);
  if (u.fresh == 0u) {
    part = join(load_part(i), part);
  }
  parts[i] = part.x;
  parts[n + i] = part.y;
  parts[2u * n + i] = part.z;
}

@compute @workgroup_size(workgroup_size)
fn finish_columns(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let column = invocation_index(grid, local);
  if (column >= u.columns) {
    return;
  }
  var found = load_part(column);
  for (var s = 1u; s < u.segments; s++) {
    found = join(found, load_part(s * u.columns + column));
  }
  let line = Line(found.x, found.y, 0x1p-4f * found.x - 0x1p-4f * found.z, 1.0);
  store_column_line(column, finish(line, u.all_rows + column));
}
