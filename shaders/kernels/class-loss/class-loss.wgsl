//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
// requires: scores_at, scores_block, scores_full, scores_last, store_grad_probabilities_full
// requires: store_grad_probabilities_last_quad, store_grad_scores_full, store_grad_scores_last_quad, store_loss
// requires: upstream_of
// Losses of rows of [outer, n, inner] scores against a class index or a row of class probabilities. Let l be the
// log-probabilities of a row (the log-softmax of the scores, or the scores themselves), w the class weights, e the
// label smoothing, and f(l) the op's loss of one log-probability. Only cross-entropy, where f(l) is -l, has smoothing
// or probabilities.
//   index y:          (1 - e) w[y] f(l[y]) + e / n sum_c w[c] f(l[c])
//   probabilities t:  sum_c ((1 - e) t[c] + e / n) w[c] f(l[c])
// The gradient with respect to the scores is q - softmax(x) sum(q), where q is the gradient with respect to l; without
// a log-softmax it is q. Only losses and gradients are stored, and one pass over the scores makes all sums of a row.
//
// Where every class adds to the loss (`soft`) with a factor s[c], the sum of -s[c] l[c] is accumulated beside the
// exponentials, as sum_c s[c] (max - x[c]) + log-sum-exp(x - max) sum_c s[c]. For s >= 0 no terms of it cancel. The
// first sum is kept divided by 16 (`far`): max - x may be twice the largest float32 though the loss is finite, and
// compilers may factor s out of a sum of four such terms.
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
// rows' weights (`with_divisor`) are stored.
//#slot access
const soft = false;
const summed = true;
const with_grad = false;
const with_divisor = false;
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

// The sums of s (max - x) / 16 and of s that a lane has accumulated. Like the sum of exponentials they have two
// stages, blocks and the sum of blocks.
struct SoftSum {
  far: vec4f,
  weight: vec4f,
  far_block: vec4f,
  weight_block: vec4f,
}

// A sixteenth of the maximum. While all elements are -Inf, the lowest float32 is used instead, because -Inf - (-Inf)
// would be NaN.
fn scaled_max(row_max: f32) -> f32 {
  return 0x1p-4f * select(row_max, -0x1.fffffep+127f, row_max < -0x1.fffffep+127f);
}

// s (max - x) / 16, where `scaled` is max / 16. The multiplication of x by a power of two is exact.
fn far_of(s: vec4f, scaled: f32, x: vec4f) -> vec4f {
  return s * fma(vec4f(-0x1p-4f), x, vec4f(scaled));
}

fn first_soft(x: Block, s: Block, lane: Lane, row_max: f32) -> SoftSum {
  let p = scaled_max(row_max);
  let zero = vec4f();
  var far = select(zero, far_of(s.a, p, x.a), inside_last(lane, 0u));
  if (block_quads > 1u) {
    far += select(zero, far_of(s.b, p, x.b), inside_last(lane, 1u));
  }
  if (block_quads > 2u) {
    far += select(zero, far_of(s.c, p, x.c), inside_last(lane, 2u));
  }
  if (block_quads > 3u) {
    far += select(zero, far_of(s.d, p, x.d), inside_last(lane, 3u));
  }
  return SoftSum(far, sum_of(s), zero, zero);
}

fn add_to_soft(sum: ptr<function, SoftSum>, x: Block, s: Block, before: f32, row_max: f32) {
  let p = scaled_max(row_max);
  if (row_max > before) {
    let rise = p - scaled_max(before);
    (*sum).far += (*sum).weight * rise;
    (*sum).far_block += (*sum).weight_block * rise;
  }
  var far: Block;
  far.a = far_of(s.a, p, x.a);
  if (block_quads > 1u) {
    far.b = far_of(s.b, p, x.b);
  }
  if (block_quads > 2u) {
    far.c = far_of(s.c, p, x.c);
  }
  if (block_quads > 3u) {
    far.d = far_of(s.d, p, x.d);
  }
  (*sum).far_block += sum_of(far);
  (*sum).weight_block += sum_of(s);
}

// The sums of s (max - x) / 16 and of s over all elements of a lane.
fn soft_total(sum: SoftSum) -> vec2f {
  return vec2f(horizontal_sum(sum.far + sum.far_block), horizontal_sum(sum.weight + sum.weight_block));
}

fn soft_raised(sum: vec2f, before: f32, row_max: f32) -> vec2f {
  return vec2f(sum.x + sum.y * (scaled_max(row_max) - scaled_max(before)), sum.y);
}

// What is known of a row after its scores were read. Its log-probabilities are l = (x - max) - log_sum.
struct Row {
  sums: Normaliser,
  log_sum: f32,
  soft: vec2f,
}

// The sums over the part of a row that one lane reads. `scan` also returns the lane's last block in `last`, and the
// exponentials of that block in `e`.
struct Scan {
  sums: RowSum,
  soft: vec2f,
}

fn scan(base: u32, lane: Lane, last: ptr<function, Block>, e: ptr<function, Block>) -> Scan {
  var s: RowSum;
  var sum: SoftSum;
  if (padded) {
    *last = scores_last(base, lane);
    s = first_sum(*last, e);
    if (soft) {
      sum = first_soft(*last, soft_last(base, lane), lane, s.max);
    }
  } else {
    s = no_sum();
  }
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      let x = scores_block(base, q, lane.step);
      let before = s.max;
      add_to(&s, x);
      if (soft) {
        add_to_soft(&sum, x, soft_block(base, q, lane.step), before, s.max);
      }
      if ((k & 31u) == 31u) {
        end_stage(&s);
        sum.far += sum.far_block;
        sum.weight += sum.weight_block;
        sum.far_block = vec4f();
        sum.weight_block = vec4f();
      }
      q += block_quads * lane.step;
    }
  }
  return Scan(s, soft_total(sum));
}

// Combines the sums of all lanes that share a row.
fn row_of(s: Scan, local: u32) -> Row {
  let sums = normaliser_of(s.sums, local, true);
  return Row(sums, log_sum_of(sums), soft_of_lanes(s, sums.max, local));
}

// The soft sums of all lanes that share a row whose maximum is `row_max`.
fn soft_of_lanes(s: Scan, row_max: f32, local: u32) -> vec2f {
  if (soft && shared_row) {
    return combine_sum(soft_raised(s.soft, s.sums.max, row_max), local);
  }
  return s.soft;
}

fn part_of(s: Scan, local: u32) -> vec4f {
  let sums = normaliser_of(s.sums, local, false);
  return vec4f(sums.max, sums.sum_others, soft_of_lanes(s, sums.max, local));
}

// Merges the sums of chunks first, first + step, ... of row r.
fn merged(r: u32, first: u32, step: u32) -> Scan {
  var sums = no_sum();
  var soft_sums = vec2f();
  for (var c = first; c < u.chunks; c += step) {
    let part = parts[c * u.rows + r];
    let before = sums.max;
    merge(&sums, part.x, part.y);
    if (soft) {
      soft_sums = soft_raised(soft_sums, before, sums.max) + soft_raised(part.zw, part.x, sums.max);
    }
  }
  return Scan(sums, soft_sums);
}

// The log-probability of element i, multiplied by a power of two.
fn log_probability(base: u32, i: u32, row: Row, scale: f32) -> f32 {
  let x = scores_at(base, i) * scale;
  if (normalised) {
    return (x - row.sums.max * scale) - row.log_sum * scale;
  }
  return x;
}

// The sum of -s[c] l[c] over the row.
fn soft_loss(row: Row) -> f32 {
  return fma(row.log_sum, row.soft.y, 16.0f * row.soft.x);
}

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

// Writes the gradients of a row quad by quad. In the functions below, q is the index of a quad, x its scores and e
// their exponentials on the scale of the row.
fn write_grads(row_target: Target, r: u32, base: u32, lane: Lane, last: Block, e: Block, row: Row) {
  let g = grads_of(row_target, upstream_of(u.first_row + r), row);
  if (!in_registers) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * block_quads; k++) {
      if (normalised) {
        let x = scores_full(base, q);
        write_full(base, q, grads_at(q, x, anchored_exp(x, row.sums.anchor), soft_full(base, q), g, row));
      } else {
        write_full(base, q, grads_at(q, vec4f(), vec4f(), vec4f(), g, row));
      }
      q += lane.step;
    }
  }
  if (padded) {
    var s: Block;
    if (soft) {
      s = soft_last(base, lane);
    }
    write_last(base, lane, 0u, last.a, e.a, s.a, g, row);
    if (block_quads > 1u) {
      write_last(base, lane, 1u, last.b, e.b, s.b, g, row);
    }
    if (block_quads > 2u) {
      write_last(base, lane, 2u, last.c, e.c, s.c, g, row);
    }
    if (block_quads > 3u) {
      write_last(base, lane, 3u, last.d, e.d, s.d, g, row);
    }
  }
}

fn write_full(base: u32, q: u32, v: Gradients) {
  store_grad_scores_full(base, q, v.scores);
  store_grad_probabilities_full(base, q, v.probabilities);
}

fn write_last(base: u32, lane: Lane, k: u32, x: vec4f, e: vec4f, s: vec4f, g: Grads, row: Row) {
  let v = grads_at(last_quad(lane, k), x, e, s, g, row);
  store_grad_scores_last_quad(base, lane, k, v.scores);
  store_grad_probabilities_last_quad(base, lane, k, v.probabilities);
}

// The gradients of one quad.
struct Gradients {
  scores: vec4f,
  probabilities: vec4f,
}

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
fn rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let unit = unit_of(workgroup, workgroups, local);
  if (unit >= u.units) {
    return;
  }
  var totals: Totals;
  for (var r = unit; r < u.rows; r += u.units) {
    let base = base_of(r);
    let lane = lane_of(0u, local);
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
