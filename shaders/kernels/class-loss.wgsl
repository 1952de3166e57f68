//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
// Losses of a row of [outer, n, inner] scores against a class index or a row of class probabilities. With l the row's
// log-probabilities (the scores less their log-sum-exp, or the scores as they are), w the class weights, e the label
// smoothing, f(l) the op's loss of one log-probability (-l for cross-entropy):
//   index y:          (1 - e) w[y] f(l[y]) + e / n sum_c w[c] f(l[c])
//   probabilities t:  sum_c ((1 - e) t[c] + e / n) w[c] f(l[c])
// and the gradient with respect to the scores, through the log-softmax where there is one: q - softmax(x) sum(q), where
// q is the gradient with respect to l. Nothing is written but losses and gradients.


override workgroup_size = 64u;
override normalised: bool = true; // the scores are logits: take their log-softmax
override smoothed: bool = false;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32, // outer * inner
  op_code: u32,
  ignore_index: i32,
  label_smoothing: f32,
  scale: f32, // upstream gradient of every row, where it is known ahead
  unused: u32,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> scores: array<f32>;

// Only what a call needs is bound: src/kernels/class-loss.ts writes this slot. Here: a loss alone.
//#slot access
const with_grad = false;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
fn class_weight(i: u32) -> f32 { return 1.0; }
fn upstream_of(row: u32) -> f32 { return u.scale; }
fn store_loss(row: u32, v: f32) { losses[row] = v; }
fn store_row_weight(row: u32, v: f32) {}
fn store_grad(i: u32, v: f32) {}
fn store_grad_probability(i: u32, v: f32) {}
//#end

//#slot op
struct Params { unused: f32 }
fn class_loss(l: f32, p: Params) -> f32 {
  return -l;
}
fn class_loss_grad(l: f32, p: Params) -> f32 {
  return -1.0;
}
//#end

fn logit(base: u32, i: u32) -> f32 {
  return scores[base + i * u.inner];
}

//#include "lib/log-softmax.wgsl"

fn base_of(row: u32) -> u32 {
  return (row / u.inner) * u.n * u.inner + row % u.inner;
}

// What turns scores into log-probabilities: l = (x - peak) - log_sum.
struct LogSoftmax {
  peak: f32,
  log_sum: f32,
}

fn log_softmax_of(base: u32, lane: Lane, local: u32) -> LogSoftmax {
  if (!normalised) {
    return LogSoftmax(0.0, 0.0);
  }
  let row = normaliser_of(base, lane, local);
  return LogSoftmax(row.peak, nl_log(row.sum));
}

fn log_probability(base: u32, i: u32, row: LogSoftmax) -> f32 {
  return (logit(base, i) - row.peak) - row.log_sum;
}

//#slot entry
//#include "kernels/class-index.wgsl"
//#end
