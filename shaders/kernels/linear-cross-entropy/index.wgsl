//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
// requires: Grid, Row, class_weight, invocation_index, is_broken, normaliser_of, u.classes, u.first, u.ignore_index
// requires: u.label_smoothing, u.op_code, u.rows, tempered, upstream_of, weighted, workgroup_size, z_of
// The part of linear-cross-entropy.wgsl for targets that are class indices y. With w the class weights, e the label
// smoothing and lse the log-sum-exp of a row, the loss is (1 - e) w[y] (lse - z[y]) + e / n sum_c w[c] (lse - z[c]).

@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(10) var<storage, read_write> row_weights: array<f32>;

struct Status {
  flag: atomic<u32>,
  op_code: u32,
  index: i32,
  classes: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

fn is_ignored(row: u32) -> bool {
  return classes[row] == u.ignore_index;
}

// Whether the class index of a row is valid. It is called for rows that are not ignored.
fn is_class(row: u32) -> bool {
  return classes[row] >= 0 && u32(classes[row]) < u.classes;
}

// The weight of a row is the weight of its class; 0 if the row is ignored, and NaN if the class index is out of
// range.
fn row_weight(row: u32) -> f32 {
  if (is_ignored(row)) {
    return 0.0;
  }
  if (!is_class(row)) {
    return nan();
  }
  return class_weight(u32(classes[row]));
}

// The position of the row's class in this chunk. It is u.count or more if the class is in another chunk.
fn label_in_chunk(row: u32) -> u32 {
  return u32(classes[row]) - u.first;
}

fn share_of(row: u32, c: u32) -> f32 {
  return (u.label_smoothing / f32(u.classes)) * class_weight(c);
}

fn loss_of(row: u32, found: Row) -> f32 {
  if (is_ignored(row)) {
    return 0.0;
  }
  if (!is_class(row)) {
    // Only the first invalid index is recorded; the next read throws the error.
    if (atomicMax(&status.flag, 1u) == 0u) {
      status.op_code = u.op_code;
      status.index = classes[row];
      status.classes = u.classes;
    }
    return nan();
  }
  let log_sum = normaliser_of(found);
  let w = (1.0 - u.label_smoothing) * class_weight(u32(classes[row]));
  let far = found.max - found.at_label;
  // True where both logits are finite but their difference is too large for a float32.
  let overflows = is_inf(far) & !is_inf(found.at_label);
  let half = 0.5 * found.max - 0.5 * found.at_label;
  var loss = select(w * (log_sum + far), 2.0 * (w * half), overflows);
  if (weighted) {
    loss = select(loss, 0.0, u.label_smoothing == 1.0) + fma(found.share, log_sum, 16.0 * found.below);
  }
  if (tempered) {
    loss += z_of(found).x;
  }
  return loss;
}

// Stores the weights of all rows. Their sum is the divisor of the mean.
@compute @workgroup_size(workgroup_size)
fn weigh(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let row = invocation_index(grid, local);
  if (row < u.rows) {
    row_weights[row] = row_weight(row);
  }
}

// The result is (maximum, factor of e^(z - max), gradient at the label, factor of a class weight).
fn factors_for(row: u32, found: Row) -> vec4f {
  let ignored = is_ignored(row);
  // This is a select, not a multiplication by 0, because the upstream gradient of a mean over no rows is infinite.
  let scale = select(select(nan(), upstream_of(row), is_class(row)), 0.0, ignored);
  let log_sum = normaliser_of(found);
  let keep = (1.0 - u.label_smoothing) * row_weight(row);
  let each = select(0.0, u.label_smoothing / f32(u.classes), weighted);
  // l is the log-probability of the label. p - 1 is computed as expm1(l), which is accurate even where p is almost 1.
  let l = -(log_sum + (found.max - found.at_label));
  var at_label = keep * nl_expm1(l);
  var all = keep;
  if (weighted && !ignored) {
    at_label += nl_exp(l) * found.share - each * class_weight(u32(classes[row]));
    all += found.share;
  }
  if (tempered && !ignored) {
    let z = z_of(found).y;
    at_label += nl_exp(l) * z;
    all += z;
  }
  return vec4f(
    found.max,
    select(scale * all / (1.0 + found.sum_others), nan(), is_broken(found)),
    select(scale * at_label, 0.0, ignored),
    scale * each,
  );
}

fn gradient_of(row: u32, c: u32, z: f32, f: vec4f) -> f32 {
  var g = f.y * nl_exp(z - f.x);
  if (weighted) {
    g -= f.w * class_weight(c);
  }
  return select(g, f.z, i32(c) == classes[row] && !is_ignored(row));
}
