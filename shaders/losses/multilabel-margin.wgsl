//#include "lib/bits.wgsl"
//#include "lib/class-status.wgsl"
// requires: Lane, combine_one, lane_of, marks, mean_of_row, scores, store_grad, targets, two_sum, u.n
// max(0, 1 - x[t] + x[i]), summed over the labels t of a row and all classes i that are not labels. Labels are class
// indices; the list of a row ends at the first negative number.

// Whether the invocations of a workgroup share the work of each label where a row has few labels. That needs barriers
// for every label.
override together: bool = true;

// The labels of a row are stored as one bit per class, written by kernels/margin-loss/marks.wgsl.
fn words_of_row() -> u32 {
  return (u.n + 31u) / 32u;
}

fn is_label(row: u32, class_index: u32) -> bool {
  return ((marks[row * words_of_row() + class_index / 32u] >> (class_index % 32u)) & 1u) != 0u;
}

struct Labels {
  count: u32,
  distinct: bool, // whether no class occurs twice
  valid: bool,
}

fn labels_of(row: u32, base: u32) -> Labels {
  var labels = Labels(0u, true, true);
  while (labels.count < u.n) {
    let index = targets[base + labels.count];
    labels.valid &= index >= -1 && index < i32(u.n);
    if (index < 0) {
      break;
    }
    labels.count++;
  }
  var bits = 0u;
  for (var i = 0u; i < words_of_row(); i++) {
    bits += countOneBits(marks[row * words_of_row() + i]);
  }
  labels.distinct = bits == labels.count;
  return labels;
}

// The class of label j. A class index out of range is replaced by the last class, so that memory accesses stay in
// bounds.
fn label_at(base: u32, j: u32) -> u32 {
  return min(u32(targets[base + j]), u.n - 1u);
}

// The loss that class i adds, summed over all labels. The class is not a label itself.
fn pushed(base: u32, i: u32, labels: Labels) -> f32 {
  let raised = two_sum(1.0, scores[base + i]);
  var total = 0.0;
  var j = 0u;
  while (j < labels.count) {
    var block = 0.0;
    for (var k = 0u; k < 32u && j < labels.count; k++) {
      let z = (raised.x - scores[base + label_at(base, j)]) + raised.y;
      // A NaN is not above 0 and adds nothing, as in PyTorch.
      block += select(0.0, z, z > 0.0);
      j++;
    }
    total += block;
  }
  return total;
}

fn row_loss(row: u32, base: u32, lane: Lane, local: u32) -> f32 {
  let labels = labels_of(row, base);
  var total = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = 0.0;
    for (var k = 0u; k < 32u && i < u.n; k++) {
      if (!is_label(row, i)) {
        block += pushed(base, i, labels);
      }
      i += lane.step;
    }
    total += block;
  }
  total = combine_one(total, local);
  return select(nan(), mean_of_row(total), labels.valid);
}

// Counts the classes first, first + step, ... that are not labels and whose score is above `score` - 1.
fn hits_of(row: u32, base: u32, score: f32, first: u32, step: u32) -> u32 {
  let reach = two_sum(1.0, -score);
  var hits = 0u;
  for (var i = first; i < u.n; i += step) {
    let z = (reach.x + scores[base + i]) + reach.y;
    hits += u32(z > 0.0 && !is_label(row, i));
  }
  return hits;
}

// How often the class of label j occurs in the list; 0 if an earlier label already has this class.
fn times(base: u32, j: u32, labels: Labels) -> u32 {
  if (labels.distinct) {
    return 1u;
  }
  var count = 0u;
  for (var k = 0u; k < labels.count; k++) {
    let same = targets[base + k] == targets[base + j];
    if (same && k < j) {
      return 0u;
    }
    count += u32(same);
  }
  return count;
}

fn row_grad(row: u32, base: u32, upstream: f32, lane: Lane, local: u32) {
  let labels = labels_of(row, base);
  let factor = select(nan(), upstream, labels.valid);
  for (var i = lane.first; i < u.n; i += lane.step) {
    if (is_label(row, i)) {
      continue;
    }
    let raised = two_sum(1.0, scores[base + i]);
    var hits = 0u;
    for (var j = 0u; j < labels.count; j++) {
      hits += u32((raised.x - scores[base + label_at(base, j)]) + raised.y > 0.0);
    }
    store_grad(base + i, factor * f32(hits));
  }
  // The condition does not use `lane.step`, because compilers must be able to see that all invocations of a workgroup
  // take the same branch.
  if (!together || labels.count >= lane_of(0u).step) {
    for (var j = lane.first; j < labels.count; j += lane.step) {
      let count = times(base, j, labels);
      if (count > 0u) {
        let index = label_at(base, j);
        let hits = hits_of(row, base, scores[base + index], 0u, 1u);
        store_grad(base + index, -(factor * f32(count)) * f32(hits));
      }
    }
  } else {
    for (var j = 0u; j < labels.count; j++) {
      let index = label_at(base, j);
      // A float32 holds counts up to 2^24 exactly; larger counts are rounded like the result.
      let hits = combine_one(f32(hits_of(row, base, scores[base + index], lane.first, lane.step)), local);
      let count = times(base, j, labels);
      if (lane.first == 0u && count > 0u) {
        store_grad(base + index, -(factor * f32(count)) * hits);
      }
    }
  }
}
