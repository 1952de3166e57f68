//#include "lib/bits.wgsl"
//#include "lib/class-status.wgsl"
// requires: Lane, class_weight, combine_one, mean_of_row, scores, store_grad, targets, two_sum, u.n, u.op, u.op_code
// w[y] max(0, margin - x[y] + x[i])^p, added up over the classes i other than the target y.

struct Label {
  index: u32,
  valid: bool,
}

// One that is out of range is noted for the next read, and stands for class 0 in memory accesses.
fn label_of(row: u32) -> Label {
  let index = targets[row];
  let valid = index >= 0 && u32(index) < u.n;
  if (!valid) {
    report_index(u.op_code, index, u.n);
  }
  return Label(select(0u, u32(index), valid), valid);
}

// margin - x[y], in two parts.
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
      // NaN is not above 0, as in PyTorch.
      block += select(0.0, select(z * z, z, u.op.p == 1u), z > 0.0 && i != label.index);
      i += lane.step;
    }
    total += block;
  }
  total = combine_one(total, local);
  // A weight, even an infinite one, makes nothing of 0.
  let loss = mean_of_row(select(class_weight(label.index) * total, 0.0, total == 0.0));
  return select(nan(), loss, label.valid);
}

fn row_grad(row: u32, base: u32, upstream: f32, lane: Lane, local: u32) {
  let label = label_of(row);
  let reach = reach_of(base, label);
  let straight = u.op.p == 1u;
  // First the factors, which are small, then z: a slope may be finite where 2 z is not.
  let factor = select(nan(), upstream * class_weight(label.index), label.valid) * select(2.0, 1.0, straight);
  var total = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      let z = (reach.x + scores[base + i]) + reach.y;
      let inside = z > 0.0 && i != label.index;
      let slope = select(factor * z, factor, straight);
      // Of p = 1 they are counted.
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
