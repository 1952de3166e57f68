//#include "lib/bits.wgsl"
//#include "lib/wide.wgsl"
// The forward variables of connectionist temporal classification, and the backward ones, which are those of the reversed
// sequence: of labels l[0], l[1], ... with blanks between and round them, the states. Direction and batch element are one
// workgroup's, or one invocation's; steps follow each other.
//   a[t][s] = (a[t-1][s] + a[t-1][s-1] + a[t-1][s-2]) e^log_probs[t][label of s]
// without the third term where s is a blank or has the label of s - 2. They are probabilities of any size (lib/wide.wgsl):
// as exact after thousands of steps as float32 goes, and without a logarithm per state.

override workgroup_size = 32u;

struct Uniforms {
  steps: u32,   // T
  batch: u32,   // N, of log_probs
  classes: u32, // C
  stride: u32,  // labels of an element in `targets`; 0: one element's after another's
  labels: u32,  // elements of `targets`
  states: u32,  // of the longest sequence that has a path
  rows: u32,    // of an element in the lattice: all steps, or two that take turns
  first: u32,   // batch element of the first workgroup
  count: u32,   // of batch elements
  blank: u32,
  op_code: u32,
  zero_infinity: u32,
  by_length: u32, // losses are divided by the number of labels
  skip: u32,      // batch elements ahead of those in log_probs
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

// Where the variables are, and who works on them, is written by src/kernels/ctc/plan.ts. Here: one invocation alone, no gradient.
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
  offset: u32, // of its labels in `targets`
  valid: bool,
}

// Notes what is out of range for the next read: 2 a label, 3 an input length, 4 a target length.
fn note(what: u32, value: i32, bound: u32) {
  if (atomicMax(&status.flag, what) == 0u) {
    status.op_code = u.op_code;
    status.value = value;
    status.bound = bound;
  }
}

// A sequence out of range has no labels and no steps in memory accesses.
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

// The class of label k, counted from the end in the backward direction; one out of range stands for the blank in memory.
fn class_of(q: Sequence, k: u32, backward: bool) -> u32 {
  let c = targets[q.offset + select(k, q.labels - 1u - k, backward)];
  return select(u.blank, u32(c), c >= 0 && u32(c) < u.classes);
}

fn log_prob(q: Sequence, n: u32, t: u32, class_index: u32, backward: bool) -> f32 {
  let step = select(t, q.steps - 1u - t, backward);
  return log_probs[(step * u.batch + n - u.skip) * u.classes + class_index];
}

// A blank and the label after it. The last blank has none.
struct Pair {
  class_index: u32,
  skips: bool, // the label may follow the one before without a blank
  labelled: bool,
}

fn pair_of(q: Sequence, k: u32, backward: bool) -> Pair {
  if (k >= q.labels) {
    return Pair(u.blank, false, false);
  }
  let own = class_of(q, k, backward);
  return Pair(own, k > 0u && own != class_of(q, max(k, 1u) - 1u, backward), true);
}

// The probabilities of the blank and of a pair's label.
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
  // No path: each label takes a step.
  let steps = select(q.steps, 0u, q.labels > q.steps);
  let works = steps > 0u && lane.first <= q.labels;
  let own = pair_of(q, lane.first, backward);
  // The probabilities of the lane's first pair, fetched a step ahead.
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
      var before = nothing; // the label before
      var empty = nothing;  // the blank
      var same = nothing;   // the label
      if (t > 0u) {
        if (k > 0u) { before = state_of(item, t - 1u, 2u * k - 1u); }
        empty = state_of(item, t - 1u, 2u * k);
        if (pair.labelled) { same = state_of(item, t - 1u, 2u * k + 1u); }
      } else if (k == 0u) {
        empty = vec2f(1.0, 0.0);
      } else {
        // Out of reach, whatever the scores are.
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
  keep_fact(n, 0u, select(i32(q.steps), -1, bad)); // -1: out of range
  keep_fact(n, 1u, i32(q.labels));
  keep_fact(n, 2u, i32(q.offset));
  keep_fact(n, 3u, bitcast<i32>(likelihood.x));
  keep_fact(n, 4u, bitcast<i32>(likelihood.y));
}
