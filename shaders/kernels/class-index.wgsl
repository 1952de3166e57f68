//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// The part of class-loss.wgsl for targets that are class indices.

struct Status {
  flag: atomic<u32>,
  op_code: u32,
  index: i32,
  classes: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

struct Label {
  index: u32,
  ignored: bool,
  valid: bool,
}

// A row's class index; one that is out of range is noted for the next read, and stands for class 0 in memory accesses.
fn label_of(row: u32) -> Label {
  let index = classes[row];
  let ignored = index == u.ignore_index;
  let valid = ignored || (index >= 0 && u32(index) < u.n);
  if (!valid && atomicMax(&status.flag, 1u) == 0u) {
    status.op_code = u.op_code;
    status.index = index;
    status.classes = u.n;
  }
  return Label(select(0u, u32(index), valid && !ignored), ignored, valid);
}

// Sums over the row of w[c] f(l[c]) and of w[c] f'(l[c]): what label smoothing adds.
fn smoothing_of(base: u32, row: LogSoftmax, lane: Lane, local: u32) -> vec2f {
  var total = vec2f();
  if (smoothed) {
    var i = lane.first;
    while (i < u.n) {
      var block = vec2f();
      for (var k = 0u; k < 32u && i < u.n; k++) {
        let l = log_probability(base, i, row);
        block += class_weight(i) * vec2f(class_loss(l, u.op), class_loss_grad(l, u.op));
        i += lane.step;
      }
      total += block;
    }
    total = vec2f(combine_sum(total.x, local), combine_sum(total.y, local));
  }
  return total;
}

@compute @workgroup_size(workgroup_size)
fn rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = row_of(workgroup, workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let lane = lane_of(local);
  let base = base_of(r);
  let label = label_of(r);
  let row = log_softmax_of(base, lane, local);
  let smoothing = smoothing_of(base, row, lane, local);
  let keep = 1.0 - u.label_smoothing;
  let each = u.label_smoothing / f32(u.n);
  let w = class_weight(label.index);
  let l = log_probability(base, label.index, row);
  if (lane.first == 0u) {
    var loss = w * class_loss(l, u.op);
    if (smoothed) {
      loss = keep * loss + each * smoothing.x;
    }
    store_loss(r, select(select(nan(), loss, label.valid), 0.0, label.ignored));
    store_row_weight(r, select(w, 0.0, label.ignored));
  }
  if (!with_grad) {
    return;
  }
  // q, the gradient with respect to l: at the class, and in all. A row out of range is NaN throughout.
  let scale = select(select(nan(), upstream_of(r), label.valid), 0.0, label.ignored);
  // Chosen, not multiplied by 0: the slope of a row that is ignored may be infinite.
  let at_label = select(scale * (keep * w * class_loss_grad(l, u.op)), 0.0, label.ignored);
  let total = at_label + scale * (each * smoothing.y);
  for (var i = lane.first; i < u.n; i += lane.step) {
    var q = select(0.0, at_label, i == label.index);
    if (normalised) {
      let li = log_probability(base, i, row);
      if (smoothed) {
        q += scale * (each * class_weight(i) * class_loss_grad(li, u.op));
      }
      q -= nl_exp(li) * total;
    }
    store_grad(base + i * u.inner, select(select(nan(), q, label.valid), 0.0, label.ignored && !normalised));
  }
}

var<workgroup> partial_weights: array<f32, workgroup_size>;

// The weights of all rows, added up by one workgroup: the divisor of the mean, ahead of a gradient that needs it.
@compute @workgroup_size(workgroup_size)
fn total_weight(@builtin(local_invocation_index) local: u32) {
  var total = 0.0;
  var row = local;
  while (row < u.rows) {
    var block = 0.0;
    for (var k = 0u; k < 32u && row < u.rows; k++) {
      let label = label_of(row);
      block += select(class_weight(label.index), 0.0, label.ignored);
      row += workgroup_size;
    }
    total += block;
  }
  partial_weights[local] = total;
  workgroupBarrier();
  if (local == 0u) {
    total = 0.0;
    for (var i = 0u; i < workgroup_size; i++) {
      total += partial_weights[i];
    }
    store_row_weight(0u, total);
  }
}
