//#include "lib/bits.wgsl"
//#include "lib/class-status.wgsl"
// requires: Lane, class_weight, combine_one, mean_of_row, scores, store_grad, targets, two_sum, u.n, u.op, u.op_code
// w[y] max(0, margin - x[y] + x[i])^p, summed over all classes i except the target y.

struct Label {
  index: u32,
  valid: bool,
}

// A class index out of range is recorded, and the next read throws the error. It is replaced by class 0, so that
// memory accesses stay in bounds.
fn label_of(row: u32) -> Label {
  let index = targets[row];
  let valid = index >= 0 && u32(index) < u.n;
  if (!valid) {
    report_index(u.op_code, index, u.n);
  }
  return Label(select(0u, u32(index), valid), valid);
}

// margin - x[y] as a rounded sum and its rounding error.
fn reach_of(base: u32, label: Label) -> vec2f {
  return two_sum(u.op.margin, -scores[base + label.index]);
}

fn row_loss(row: u32, base: u32, lane: Lane, local: u32) -> f32 {
  let label = label_of(row);
  let reach = reach_of(base, label);
  var total = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      let z = (reach.x + scores[base + i]) + reach.y;
      // A NaN is not above 0 and adds nothing, as in PyTorch.
      block += select(0.0, select(z * z, z, u.op.p == 1u), z > 0.0 && i != label.index);
      i += lane.step;
    }
    total += block;
  }
  total = combine_one(total, local);
  // A sum of 0 gives loss 0 even if the class weight is infinite.
  let loss = mean_of_row(select(class_weight(label.index) * total, 0.0, total == 0.0));
  return select(nan(), loss, label.valid);
}

fn row_grad(row: u32, base: u32, upstream: f32, lane: Lane, local: u32) {
  let label = label_of(row);
  let reach = reach_of(base, label);
  let straight = u.op.p == 1u;
  // The small factors are multiplied before z, because the slope may be finite where 2 z is not.
  let factor = select(nan(), upstream * class_weight(label.index), label.valid) * select(2.0, 1.0, straight);
  var total = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      let z = (reach.x + scores[base + i]) + reach.y;
      let inside = z > 0.0 && i != label.index;
      let slope = select(factor * z, factor, straight);
      // For p = 1 all slopes are equal, so they are only counted here.
      block += select(0.0, select(slope, 1.0, straight), inside);
      if (i != label.index) {
        store_grad(base + i, select(select(0.0, slope, inside), nan(), !label.valid));
      }
      i += lane.step;
    }
    total += block;
  }
  total = combine_one(total, local);
  if (lane.first == 0u) {
    let own = -select(total, select(factor * total, 0.0, total == 0.0), straight);
    store_grad(base + label.index, select(nan(), own, label.valid));
  }
}
