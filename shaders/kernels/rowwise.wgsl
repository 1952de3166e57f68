//#include "lib/bits.wgsl"
// Softmax and its kin: each row of [outer, n, inner], along the middle dimension, is normalised by its maximum and sum of
// exponentials, read once for both. The op gives what becomes of an element; the rows slot, whether a row, or a chunk of
// one, is an invocation's or a workgroup's. Few long rows are in chunks: `*_parts` leaves a sum for each, `*_chunks` has
// what became of all of them and writes.

override workgroup_size = 64u;

struct Uniforms {
  n: u32,
  inner: u32,
  rows: u32,        // outer * inner
  chunks: u32,      // of a row
  quads: u32,       // of a row
  chunk_quads: u32, // of a chunk
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end

//#include "lib/row-blocks.wgsl"

// The tensors that an entry point has, written by src/kernels/row-access.ts: `x`, the input, or the output in `backward_*`;
// `y`, what is written; `grad_output`.
//#slot access
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> grad_output: array<f32>;
//#end

// One for each chunk of each row: its peak and the rest of its sum, or its share of the gradient's sum.
@group(0) @binding(4) var<storage, read_write> parts: array<vec2f>;

//#slot op
//#include "rowwise/softmax.wgsl"
//#end

//#include "lib/log-softmax.wgsl"

struct Place {
  row: u32,
  chunk: u32,
}

// Chunks of one place side by side, so that neighbours are neighbouring columns.
fn place_of(unit: u32) -> Place {
  return Place(unit % u.rows, unit / u.rows);
}

fn logits_of(v: Block) -> Block {
  return Block(logit_of(v.a), logit_of(v.b), logit_of(v.c), logit_of(v.d));
}

// The lane's part of the sum; `last` is its last block, and `e` that of its exponentials on the part's own scale.
fn scan(base: u32, lane: Lane, last: ptr<function, Block>, e: ptr<function, Block>) -> RowSum {
  *last = logits_of(x_last(base, lane));
  var s = first_sum(*last, e);
  if (!held) {
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      add_to(&s, logits_of(x_block(base, q, lane.step)));
      if ((k & 31u) == 31u) {
        end_stage(&s);
      }
      q += 4u * lane.step;
    }
  }
  return s;
}

fn result_of(v: vec4f, row: Normaliser, divisor: f32) -> vec4f {
  if (from_exp) {
    return forward(anchored_exp(v, row.anchor), row, divisor);
  }
  return forward(v, row, divisor);
}

fn results_of(v: Block, row: Normaliser, divisor: f32) -> Block {
  var r: Block;
  r.a = result_of(v.a, row, divisor);
  if (block_quads > 1u) {
    r.b = result_of(v.b, row, divisor);
  }
  if (block_quads > 2u) {
    r.c = result_of(v.c, row, divisor);
  }
  if (block_quads > 3u) {
    r.d = result_of(v.d, row, divisor);
  }
  return r;
}

fn write(base: u32, lane: Lane, last: Block, row: Normaliser) {
  let divisor = divisor_of(row);
  if (!held) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * 4u; k++) {
      store_y_full(base, q, result_of(logit_of(x_full(base, q)), row, divisor));
      q += lane.step;
    }
  }
  store_y_last(base, lane, results_of(last, row, divisor));
}

@compute @workgroup_size(workgroup_size)
fn forward_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = unit_of(workgroup, workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = base_of(r);
  let lane = lane_of(0u, local);
  var last: Block;
  var e: Block;
  let row = normaliser_of(scan(base, lane, &last, &e), local);
  if (exact && from_exp) {
    // The exponentials are on the row's scale already.
    let divisor = divisor_of(row);
    store_y_last(base, lane, Block(
      forward(e.a, row, divisor),
      forward(e.b, row, divisor),
      forward(e.c, row, divisor),
      forward(e.d, row, divisor),
    ));
  } else {
    write(base, lane, last, row);
  }
}

@compute @workgroup_size(workgroup_size)
fn forward_parts(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let unit = unit_of(workgroup, workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = base_of(at.row);
  let lane = lane_of(at.chunk, local);
  var last: Block;
  var e: Block;
  let part = normaliser_of(scan(base, lane, &last, &e), local);
  if (lane_index(local) == 0u) {
    parts[unit] = vec2f(part.peak, part.rest);
  }
}

@compute @workgroup_size(workgroup_size)
fn forward_chunks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let unit = unit_of(workgroup, workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  var s = no_sum();
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    let part = parts[c * u.rows + at.row];
    merge(&s, part.x, part.y);
  }
  let row = normaliser_of(s, local);
  let base = base_of(at.row);
  let lane = lane_of(at.chunk, local);
  write(base, lane, logits_of(x_last(base, lane)), row);
}

fn terms_of(v: Block, g: Block) -> vec4f {
  return sum_of(Block(backward_term(v.a, g.a), backward_term(v.b, g.b), backward_term(v.c, g.c), backward_term(v.d, g.d)));
}

// The lane's part of the sum that the gradient takes, in two stages as in `scan`.
fn backward_sum(base: u32, lane: Lane, last: ptr<function, Block>, last_grad: ptr<function, Block>) -> f32 {
  *last = x_last(base, lane);
  *last_grad = grad_output_last(base, lane);
  var total = terms_of(*last, *last_grad);
  if (!held) {
    var block = vec4f();
    var q = lane.first;
    for (var k = 0u; k < lane.full; k++) {
      block += terms_of(x_block(base, q, lane.step), grad_output_block(base, q, lane.step));
      if ((k & 31u) == 31u) {
        total += block;
        block = vec4f();
      }
      q += 4u * lane.step;
    }
    total += block;
  }
  return horizontal_sum(total);
}

fn write_grad(base: u32, lane: Lane, last: Block, last_grad: Block, total: f32) {
  if (!held) {
    var q = lane.first;
    for (var k = 0u; k < lane.full * 4u; k++) {
      store_y_full(base, q, backward(x_full(base, q), grad_output_full(base, q), total));
      q += lane.step;
    }
  }
  var r: Block;
  r.a = backward(last.a, last_grad.a, total);
  if (block_quads > 1u) {
    r.b = backward(last.b, last_grad.b, total);
  }
  if (block_quads > 2u) {
    r.c = backward(last.c, last_grad.c, total);
  }
  if (block_quads > 3u) {
    r.d = backward(last.d, last_grad.d, total);
  }
  store_y_last(base, lane, r);
}

@compute @workgroup_size(workgroup_size)
fn backward_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = unit_of(workgroup, workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let base = base_of(r);
  let lane = lane_of(0u, local);
  var last: Block;
  var last_grad: Block;
  let total = combine_sum(vec2f(backward_sum(base, lane, &last, &last_grad), 0.0), local).x;
  write_grad(base, lane, last, last_grad, total);
}

@compute @workgroup_size(workgroup_size)
fn backward_parts(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let unit = unit_of(workgroup, workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  let base = base_of(at.row);
  let lane = lane_of(at.chunk, local);
  var last: Block;
  var last_grad: Block;
  let part = combine_sum(vec2f(backward_sum(base, lane, &last, &last_grad), 0.0), local).x;
  if (lane_index(local) == 0u) {
    parts[unit] = vec2f(part, 0.0);
  }
}

@compute @workgroup_size(workgroup_size)
fn backward_chunks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let unit = unit_of(workgroup, workgroups, local);
  if (unit >= u.rows * u.chunks) {
    return;
  }
  let at = place_of(unit);
  var total = 0.0;
  for (var c = lane_index(local); c < u.chunks; c += lanes()) {
    total += parts[c * u.rows + at.row].x;
  }
  total = combine_sum(vec2f(total, 0.0), local).x;
  let base = base_of(at.row);
  let lane = lane_of(at.chunk, local);
  write_grad(base, lane, x_last(base, lane), grad_output_last(base, lane), total);
}
