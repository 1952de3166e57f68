//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/wide.wgsl"
// The gradient of the CTC loss with respect to log-probabilities that come out of a log-softmax, for each step of each batch
// element: e^log_prob less the posterior probability of the class, the sum over its states of
//   forward backward / (e^log_prob likelihood)
// Steps past the end of a sequence have none. A class whose probability is 0 has NaN, as in PyTorch.

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
  scale: f32, // upstream gradient of every loss, or a factor of it
  skip: u32, // batch elements ahead of those in log_probs and grad
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> log_probs: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read> lattice: array<vec2f>;
@group(0) @binding(4) var<storage, read> facts: array<i32>;
@group(0) @binding(5) var<storage, read_write> grad: array<f32>;

// Here: an upstream gradient that is known ahead.
//#slot access
fn upstream_of(n: u32) -> f32 { return u.scale; }
fn settle() {}
//#end

struct Row {
  labels: u32,
  offset: u32,
  forward: u32,  // where its forward variables are
  backward: u32, // and the backward ones, in reversed order
  likelihood: vec2f,
}

fn label_of(row: Row, k: u32) -> u32 {
  let c = targets[row.offset + k];
  return select(u.blank, u32(c), c >= 0 && u32(c) < u.classes);
}

// The probability that the path is in state s, whose class has probability `chance`.
fn posterior(row: Row, s: u32, chance: vec2f) -> f32 {
  let a = lattice[row.forward + s];
  let b = lattice[row.backward + 2u * row.labels - s];
  let both = a.x * b.x;
  let m = both / (chance.x * row.likelihood.x);
  let e = ((a.y + b.y) - chance.y) - row.likelihood.y;
  let n = i32(clamp(e, -250.0, 250.0));
  let v = scale2(m, n);
  // A share is 1 at most. More comes of rounding: far below 0, float32 does not tell log-probabilities apart.
  return select(select(v, 1.0, v > 1.0), 0.0, both == 0.0); // 0 even where `chance` is
}

// The likelihood as step t has it. Exponents from 2^20 on are rounded, differently at each step: the shares of one are to
// add up to 1 all the same.
fn likelihood_at(row: Row, base: u32) -> vec2f {
  if (abs(row.likelihood.y) < 0x1p+20) {
    return row.likelihood;
  }
  // The sum keeps the largest exponent, which may be too large for 1 to be added to it.
  var total = vec2f(0.0, wide_lowest);
  for (var turn = 0u; turn < 2u; turn++) {
    for (var s = 0u; s <= 2u * row.labels; s++) {
      var c = u.blank;
      if (s % 2u == 1u) { c = label_of(row, s / 2u); }
      let a = lattice[row.forward + s];
      let b = lattice[row.backward + 2u * row.labels - s];
      let both = a.x * b.x;
      // Where no path goes, and takes others with it.
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
fn rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = row_of(workgroup, workgroups, local);
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
  // No path, or NaN: nothing in the lattice is read.
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
  // Over that, the classes that are labels; each belongs to the first label that has it.
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
