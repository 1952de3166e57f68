//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
//#include "lib/anchored-exp.wgsl"
//#include "lib/normaliser.wgsl"
//#include "lib/normaliser-each.wgsl"
// class-loss.wgsl for few logits and class indices without label smoothing: a row an invocation, one score at a time. Less
// code, for GPUs whose compiler is part of the wait.

const normalised = true;

// As in class-loss.wgsl.
struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32,
  chunks: u32,
  quads: u32,
  chunk_quads: u32,
  units: u32,
  op_code: u32,
  ignore_index: i32,
  label_smoothing: f32,
  scale: f32,
  divisor: f32,
  first_row: u32,
  first_loss: u32,
  unused0: u32,
  unused1: u32,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot access
const soft = false;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
fn store_loss(i: u32, v: vec2f) {
  losses[i] = v.x;
}
//#end

//#slot op
struct Params { unused: f32 }
fn class_loss(l: f32, p: Params) -> f32 {
  return -l;
}
//#end

const apart = true;

fn logit_at(base: u32, i: u32) -> f32 {
  return scores[base + i * u.inner];
}

struct Row {
  sums: Normaliser,
  log_sum: f32,
  soft: vec2f,
}

fn log_probability(base: u32, i: u32, row: Row, scale: f32) -> f32 {
  return (logit_at(base, i) * scale - row.sums.peak * scale) - row.log_sum * scale;
}

// Only label smoothing needs it.
fn soft_loss(row: Row) -> f32 {
  return 0.0;
}

//#include "kernels/class-index.wgsl"

//#slot grads default
fn write_grads(r: u32, base: u32, aim: Target, row: Row) {}
//#end

@compute @workgroup_size(16)
fn rows_each(@builtin(global_invocation_id) id: vec3u) {
  let r = id.x;
  if (r >= u.rows) {
    return;
  }
  let base = (r / u.inner) * u.n * u.inner + r % u.inner;
  let sums = normaliser_each(base);
  let row = Row(sums, log_sum_of(sums), vec2f());
  let aim = target_of(r, base, row);
  store_loss(r, loss_of(aim, row));
  write_grads(r, base, aim, row);
}
