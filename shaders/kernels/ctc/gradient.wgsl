//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/wide.wgsl"
// The gradient of the CTC loss with respect to log-probabilities, for every step of every batch element. It assumes
// that the log-probabilities are the output of a log-softmax. The gradient is e^log_prob minus the posterior
// probability of the class, which is the sum over the states of that class of
//   forward backward / (e^log_prob likelihood)
// Steps after the end of a sequence have gradient 0. A class whose probability is 0 has gradient NaN, as in PyTorch.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  steps: u32,
  batch: u32,
  classes: u32,
  states: u32,
  first: u32,
  count: u32,
  blank: u32,
  zero_infinity: u32,
  by_length: u32,
  scale: f32, // factor of the upstream gradient; all of it where no gradient is bound
  skip: u32, // number of batch elements that come before those in log_probs and grad
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> log_probs: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read> lattice: array<vec2f>;
@group(0) @binding(4) var<storage, read> facts: array<i32>;
@group(0) @binding(5) var<storage, read_write> grad: array<f32>;

// This default is for an upstream gradient that is known when the kernel is planned.
//#slot access
fn upstream_of(n: u32) -> f32 { return u.scale; }
fn settle() {}
//#end

struct Row {
  labels: u32,
  offset: u32,
  forward: u32,  // where its forward variables begin in the lattice
  backward: u32, // where its backward variables begin; they are in reversed order
  likelihood: vec2f,
}

fn label_of(row: Row, k: u32) -> u32 {
  let c = targets[row.offset + k];
  return select(u.blank, u32(c), c >= 0 && u32(c) < u.classes);
}

// The posterior probability of state s, whose class has probability `chance`.
fn posterior(row: Row, s: u32, chance: vec2f) -> f32 {
  let a = lattice[row.forward + s];
  let b = lattice[row.backward + 2u * row.labels - s];
  let both = a.x * b.x;
  let m = both / (chance.x * row.likelihood.x);
  let e = ((a.y + b.y) - chance.y) - row.likelihood.y;
  let n = i32(clamp(e, -250.0, 250.0));
  let v = scale2(m, n);
  // A posterior probability is at most 1. Rounding can make it larger where log-probabilities are very negative,
  // because neighbouring float32 values are far apart there.
  // Also 0 where `chance` is 0, instead of 0 / 0.
  return select(select(v, 1.0, v > 1.0), 0.0, both == 0.0);
}

// The likelihood as it follows from the states of step t. Every step gives the same in exact arithmetic, but
// exponents from 2^20 on are rounded, differently at each step. With the value of its own step, the posterior
// probabilities of a step still add up to 1.
fn likelihood_at(row: Row, base: u32) -> vec2f {
  if (abs(row.likelihood.y) < 0x1p+20) {
    return row.likelihood;
  }
  // The first pass finds the largest exponent, the second adds the terms relative to it. The sum is not normalised
  // again, because the exponent may be so large that adding 1 does not change it.
  var total = vec2f(0.0, wide_lowest);
  for (var turn = 0u; turn < 2u; turn++) {
    for (var s = 0u; s <= 2u * row.labels; s++) {
      var c = u.blank;
      if (s % 2u == 1u) { c = label_of(row, s / 2u); }
      let a = lattice[row.forward + s];
      let b = lattice[row.backward + 2u * row.labels - s];
      let both = a.x * b.x;
      // A NaN in a state that no complete path uses. It must not spread to the other states.
      if (is_nan(both)) {
        return row.likelihood;
      }
      if (both > 0.0) {
        let chance = wide_exp(log_probs[base + c]);
        let e = (a.y + b.y) - chance.y;
        if (turn == 0u) {
          total.y = max(total.y, e);
        } else {
          total.x += (both / chance.x) * wide_shift(e - total.y);
        }
      }
    }
  }
  return total;
}

fn slope(log_prob: f32, share: f32, g: f32) -> f32 {
  return select((nl_exp(log_prob) - share) * g, nan(), bitcast<u32>(log_prob) == 0xff800000u);
}

@compute @workgroup_size(workgroup_size)
fn rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let r = row_of(grid.workgroup, grid.workgroups, local);
  if (r >= u.steps * u.count) {
    return;
  }
  let lane = lane_of(local);
  let i = r % u.count;
  let t = r / u.count;
  let n = u.first + i;
  let m = n * 5u;
  let bad = facts[m] < 0;
  let steps = u32(max(facts[m], 0));
  let labels = u32(facts[m + 1u]);
  let likelihood = vec2f(bitcast<f32>(facts[m + 3u]), bitcast<f32>(facts[m + 4u]));
  let base = (t * u.batch + n - u.skip) * u.classes;
  let none = likelihood.x == 0.0;
  // In these three cases (no path, a NaN likelihood, a step past the end) the gradient is one constant and nothing is
  // read from the lattice.
  let flat = is_nan(likelihood.x) || none || t >= steps;
  let last = select(steps - 1u - t, 0u, flat);
  var row = Row(
    labels,
    u32(facts[m + 2u]),
    (i * u.steps + t) * u.states,
    ((u.count + i) * u.steps + last) * u.states,
    likelihood,
  );
  var g = upstream_of(n);
  if (u.by_length != 0u) { g /= f32(max(labels, 1u)); }
  let ended = t >= steps && !bad;
  let level = select(nan(), 0.0, ended || (none && u.zero_infinity != 0u));
  var blanks = 0.0;
  if (!flat) {
    row.likelihood = likelihood_at(row, base);
    let chance = wide_exp(log_probs[base + u.blank]);
    for (var k = lane.first; k <= labels; k += lane.step) {
      blanks += posterior(row, 2u * k, chance);
      if (k < labels) {
        blanks += select(0.0, posterior(row, 2u * k + 1u, chance), label_of(row, k) == u.blank);
      }
    }
  }
  blanks = combine_one(blanks, local);
  for (var c = lane.first; c < u.classes; c += lane.step) {
    let share = select(0.0, blanks, c == u.blank);
    grad[base + c] = select(slope(log_probs[base + c], share, g), level, flat);
  }
  settle();
  if (flat) {
    return;
  }
  // Now overwrite the classes that occur as labels. Where a class occurs several times, the lane of its first
  // occurrence adds up all of them.
  for (var k = lane.first; k < labels; k += lane.step) {
    let c = label_of(row, k);
    var earlier = c == u.blank;
    for (var j = 0u; j < k && !earlier; j++) {
      earlier = label_of(row, j) == c;
    }
    if (earlier) {
      continue;
    }
    let log_prob = log_probs[base + c];
    let chance = wide_exp(log_prob);
    var share = 0.0;
    for (var j = k; j < labels; j++) {
      if (label_of(row, j) == c) { share += posterior(row, 2u * j + 1u, chance); }
    }
    grad[base + c] = slope(log_prob, share, g);
  }
}
