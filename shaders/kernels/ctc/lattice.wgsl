//#include "lib/bits.wgsl"
//#include "lib/wide.wgsl"
// The forward variables of connectionist temporal classification (CTC), and the backward variables, which are the
// forward variables of the reversed sequence. The states are the labels l[0], l[1], ... with a blank before, between
// and after them. Each direction of each batch element is computed by one workgroup or by one invocation, step after
// step:
//   a[t][s] = (a[t-1][s] + a[t-1][s-1] + a[t-1][s-2]) e^log_probs[t][label of s]
// without the third term where s is a blank or has the same label as s - 2. The variables are probabilities with an
// exponent of their own (lib/wide.wgsl): they stay accurate to float32 after thousands of steps and need no logarithm
// per state.

override workgroup_size = 32u;

struct Uniforms {
  steps: u32,   // T, the number of steps
  batch: u32,   // N, the batch size of log_probs
  classes: u32, // C, the number of classes
  stride: u32,  // labels per batch element in a padded `targets`; 0 if the targets are concatenated
  labels: u32,  // number of elements of `targets`
  states: u32,  // states of the longest target that has a path
  rows: u32,    // steps kept per batch element: all, or two that are used in turn
  first: u32,   // batch element of the first workgroup
  count: u32,   // number of batch elements in this dispatch
  blank: u32,
  op_code: u32,
  zero_infinity: u32,
  by_length: u32, // whether losses are divided by the number of labels
  skip: u32,      // number of batch elements that come before those in log_probs
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> log_probs: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read> input_lengths: array<i32>;
@group(0) @binding(4) var<storage, read> target_lengths: array<i32>;
@group(0) @binding(7) var<storage, read_write> losses: array<f32>;

struct Status {
  flag: atomic<u32>,
  op_code: u32,
  value: i32,
  bound: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

struct Lane {
  first: u32,
  step: u32,
}

// src/kernels/ctc/plan.ts writes this slot: where the variables are stored and which invocations share a batch
// element. This default is one invocation per batch element, without a gradient.
//#slot memory
@group(0) @binding(5) var<storage, read_write> lattice: array<vec2f>;
fn item_of(workgroup: vec3u, local: u32) -> u32 { return workgroup.x * workgroup_size + local; }
fn lane_of(local: u32) -> Lane { return Lane(0u, 1u); }
fn any_of(c: bool, local: u32) -> bool { return c; }
fn state_of(item: u32, t: u32, s: u32) -> vec2f { return lattice[(item * u.rows + t % u.rows) * u.states + s]; }
fn write(item: u32, t: u32, s: u32, v: vec2f) { lattice[(item * u.rows + t % u.rows) * u.states + s] = v; }
fn settle() {}
fn keep_fact(n: u32, i: u32, v: i32) {}
//#end

struct Sequence {
  steps: u32,
  labels: u32,
  offset: u32, // where its labels begin in `targets`
  valid: bool,
}

// Records a value that is out of range; the next read throws the error. `what` is 2 for a label, 3 for an input
// length, 4 for a target length.
fn note(what: u32, value: i32, bound: u32) {
  if (atomicMax(&status.flag, what) == 0u) {
    status.op_code = u.op_code;
    status.value = value;
    status.bound = bound;
  }
}

// An invalid sequence gets 0 labels and 0 steps, so that nothing is accessed out of bounds.
fn sequence_of(n: u32) -> Sequence {
  let steps = input_lengths[n];
  let labels = target_lengths[n];
  var offset = n * u.stride;
  var room = u.stride;
  var known = true;
  if (u.stride == 0u) {
    offset = 0u;
    for (var i = 0u; i < n; i++) {
      let l = target_lengths[i];
      known = known && l >= 0 && u32(l) <= u.labels - offset;
      offset += select(0u, u32(l), known);
    }
    room = u.labels - offset;
  }
  let steps_fit = steps >= 0 && u32(steps) <= u.steps;
  let labels_fit = labels >= 0 && u32(labels) <= room;
  if (!steps_fit) {
    note(3u, steps, u.steps + 1u);
  } else if (!labels_fit) {
    note(4u, labels, room + 1u);
  }
  let valid = known && steps_fit && labels_fit;
  return Sequence(select(0u, u32(steps), valid), select(0u, u32(labels), valid), offset, valid);
}

// The class of label k, counted from the end in the backward direction. A class index out of range is replaced by the
// blank, so that memory accesses stay in bounds.
fn class_of(q: Sequence, k: u32, backward: bool) -> u32 {
  let c = targets[q.offset + select(k, q.labels - 1u - k, backward)];
  return select(u.blank, u32(c), c >= 0 && u32(c) < u.classes);
}

fn log_prob(q: Sequence, n: u32, t: u32, class_index: u32, backward: bool) -> f32 {
  let step = select(t, q.steps - 1u - t, backward);
  return log_probs[(step * u.batch + n - u.skip) * u.classes + class_index];
}

// Two states that are computed together: a blank and the label after it. The last blank has no label after it.
struct Pair {
  class_index: u32,
  skips: bool, // whether the label may follow the previous label without a blank between
  labelled: bool,
}

fn pair_of(q: Sequence, k: u32, backward: bool) -> Pair {
  if (k >= q.labels) {
    return Pair(u.blank, false, false);
  }
  let own = class_of(q, k, backward);
  return Pair(own, k > 0u && own != class_of(q, max(k, 1u) - 1u, backward), true);
}

// The probabilities of the two states of a pair.
struct Chances {
  blank: vec2f,
  label: vec2f,
}

fn chances_of(q: Sequence, n: u32, t: u32, class_index: u32, backward: bool) -> Chances {
  return Chances(
    wide_exp(log_prob(q, n, t, u.blank, backward)),
    wide_exp(log_prob(q, n, t, class_index, backward)),
  );
}

@compute @workgroup_size(workgroup_size)
fn advance(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = item_of(workgroup, local);
  if (i >= u.count) {
    return;
  }
  let n = u.first + i;
  let backward = workgroup.y == 1u;
  let item = i + workgroup.y * u.count;
  let lane = lane_of(local);
  let q = sequence_of(n);
  let nothing = vec2f(0.0, wide_lowest);
  // Each label takes at least one step, so a target with more labels than steps has no path.
  let steps = select(q.steps, 0u, q.labels > q.steps);
  let works = steps > 0u && lane.first <= q.labels;
  let own = pair_of(q, lane.first, backward);
  // The probabilities for the lane's first pair. They are loaded one step ahead to hide the latency of memory.
  var ahead = Chances(nothing, nothing);
  if (works) {
    ahead = chances_of(q, n, 0u, own.class_index, backward);
  }
  for (var t = 0u; t < steps; t++) {
    let now = ahead;
    if (works && t + 1u < steps) {
      ahead = chances_of(q, n, t + 1u, own.class_index, backward);
    }
    for (var k = lane.first; k <= q.labels; k += lane.step) {
      var pair = own;
      var chances = now;
      if (k != lane.first) {
        pair = pair_of(q, k, backward);
        chances = chances_of(q, n, t, pair.class_index, backward);
      }
      var before = nothing; // the previous label
      var empty = nothing;  // the blank of this pair
      var same = nothing;   // the label of this pair
      if (t > 0u) {
        if (k > 0u) { before = state_of(item, t - 1u, 2u * k - 1u); }
        empty = state_of(item, t - 1u, 2u * k);
        if (pair.labelled) { same = state_of(item, t - 1u, 2u * k + 1u); }
      } else if (k == 0u) {
        empty = vec2f(1.0, 0.0);
      } else {
        // At step 0 only the first blank and the first label can be reached. All other states get probability 0, even
        // where a score is NaN or infinite.
        chances = Chances(nothing, nothing);
      }
      write(item, t, 2u * k, wide_sum_times(empty, before, nothing, chances.blank));
      if (pair.labelled) {
        let over = select(nothing, before, pair.skips);
        write(item, t, 2u * k + 1u, wide_sum_times(same, empty, over, chances.label));
      }
    }
    settle();
  }
  var bad = false;
  for (var k = lane.first; k < q.labels; k += lane.step) {
    let c = targets[q.offset + k];
    if (c < 0 || u32(c) >= u.classes) {
      note(2u, c, u.classes);
      bad = true;
    }
  }
  bad = any_of(bad, local) || !q.valid;
  if (lane.first > 0u || backward) {
    return;
  }
  var likelihood = select(nothing, vec2f(1.0, 0.0), q.labels == 0u && q.steps == 0u);
  if (steps > 0u) {
    var before = nothing;
    if (q.labels > 0u) { before = state_of(item, steps - 1u, 2u * q.labels - 1u); }
    let empty = state_of(item, steps - 1u, 2u * q.labels);
    likelihood = wide_sum_times(empty, before, nothing, vec2f(1.0, 0.0));
  }
  if (bad) { likelihood = vec2f(nan(), 0.0); }
  var loss = -wide_ln(likelihood);
  if (likelihood.x == 0.0 && u.zero_infinity != 0u) { loss = 0.0; }
  if (u.by_length != 0u) { loss /= f32(max(q.labels, 1u)); }
  losses[n] = loss;
  // -1 marks an invalid sequence.
  keep_fact(n, 0u, select(i32(q.steps), -1, bad));
  keep_fact(n, 1u, i32(q.labels));
  keep_fact(n, 2u, i32(q.offset));
  keep_fact(n, 3u, bitcast<i32>(likelihood.x));
  keep_fact(n, 4u, bitcast<i32>(likelihood.y));
}
