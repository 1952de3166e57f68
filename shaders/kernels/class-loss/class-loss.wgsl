//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
// requires: store_loss
// Losses of rows of [outer, n, inner] scores against a class index or a row of class probabilities. Let l be the
// log-probabilities of a row (the log-softmax of the scores, or the scores themselves), w the class weights, e the
// label smoothing, and f(l) the op's loss of one log-probability. Only cross-entropy, where f(l) is -l, has smoothing
// or probabilities.
//   index y:          (1 - e) w[y] f(l[y]) + e / n sum_c w[c] f(l[c])
//   probabilities t:  sum_c ((1 - e) t[c] + e / n) w[c] f(l[c])
// The gradient with respect to the scores is q - softmax(x) sum(q), where q is the gradient with respect to l; without
// a log-softmax it is q. Only losses and gradients are stored, and one pass over the scores makes all sums of a row.
//
// Few long rows are divided into chunks. `part_rows` stores the sums of each chunk; `chunk_rows` or `finish_parts`
// merges them.

override workgroup_size = 64u;
override normalised: bool = true; // whether scores are logits, of which the log-softmax is taken

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32,        // outer * inner
  chunks: u32,      // chunks per row
  quads: u32,       // quads (four elements) per row
  chunk_quads: u32, // quads per chunk
  units: u32,       // invocations or workgroups that compute rows or chunks
  op_code: u32,
  ignore_index: i32,
  label_smoothing: f32,
  scale: f32,       // upstream gradient of every row, if it is known when the kernel is planned
  divisor: f32,     // divisor of the sum that `finish_parts` makes; 0: the sum of the rows' weights
  first_row: u32,   // rows before those of this window; class indices and upstream gradients are bound whole
  first_loss: u32,  // index of the first loss that is stored
  unused0: u32,
  unused1: u32,
  op: Params,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#include "lib/row-blocks.wgsl"

// src/kernels/class-loss/bindings.ts writes this slot and binds only what a call needs. It says whether every class
// adds to the loss (`soft`), losses are summed over rows (`summed`), and gradients (`with_grad`) or the sum of the
// rows' weights (`with_divisor`) are stored; and whether z_factor() lse² joins the loss of a row (`with_z`). `begin_row` is
// called before the scores of a row are loaded.
//#slot access
const soft = false;
const summed = true;
const with_grad = false;
const with_divisor = false;
const with_z = false;
fn z_factor() -> f32 {
  return 0.0;
}
fn begin_row(r: u32, base: u32) {}
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
//#end

// The sums that `scan` makes, one vec4f for each chunk of each row.
@group(0) @binding(10) var<storage, read_write> parts: array<vec4f>;

//#slot op
struct Params { unused: f32 }
fn class_loss(l: f32, p: Params) -> f32 {
  return -l;
}
fn class_loss_grad(l: f32, p: Params) -> f32 {
  return -1.0;
}
//#end

const sum_excludes_max = true;
//#include "lib/log-softmax.wgsl"
//#include "kernels/class-loss/row-sums.wgsl"

// Accumulates the losses and weights of rows in two stages, blocks of 32 rows and the sum of blocks.
struct Totals {
  sum: vec2f,
  block: vec2f,
  count: u32,
}

fn add_row(t: ptr<function, Totals>, v: vec2f) {
  (*t).block += v;
  (*t).count++;
  if (((*t).count & 31u) == 0u) {
    (*t).sum += (*t).block;
    (*t).block = vec2f();
  }
}

//#slot target
//#include "kernels/class-loss/index.wgsl"
//#end

//#include "kernels/class-loss/gradients.wgsl"

fn start(base: u32, lane: Lane, local: u32, last: ptr<function, Block>, e: ptr<function, Block>) -> Row {
  var row: Row;
  if (normalised) {
    let s = scan(base, lane, last, e);
    row = row_of(s, local);
    if (with_grad && padded) {
      put_on_scale(e, *last, s.sums.anchor, row.sums.anchor);
    }
  }
  return row;
}

@compute @workgroup_size(workgroup_size)
fn rows(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let unit = unit_of(grid.workgroup, grid.workgroups, local);
  if (unit >= u.units) {
    return;
  }
  var totals: Totals;
  for (var r = unit; r < u.rows; r += u.units) {
    let base = base_of(r);
    let lane = lane_of(0u, local);
    begin_row(r, base);
    var last: Block;
    var e: Block;
    let row = start(base, lane, local, &last, &e);
    let row_target = target_of(r, base, row);
    let loss = loss_of(row_target, row);
    if (lane_index(local) == 0u) {
      if (summed) {
        add_row(&totals, loss);
      } else {
        store_loss(u.first_loss + r, loss);
      }
    }
    if (with_grad) {
      write_grads(row_target, r, base, lane, last, e, row);
    }
  }
  if (summed && lane_index(local) == 0u) {
    store_loss(u.first_loss + unit, totals.sum + totals.block);
  }
}

// Entry points for rows in chunks, or for sums over all rows by one workgroup.
//#slot more
//#end
