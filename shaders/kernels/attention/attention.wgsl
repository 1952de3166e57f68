//#include "lib/anchored-exp.wgsl"
//#include "lib/div.wgsl"
// Attention: each row of the query against all rows of the key, a softmax of these scores, and the rows of the value in these
// shares. The scores are never stored: the forward direction keeps four numbers of each row, from which the backward direction
// computes the shares anew.
//
// A key that a row leaves out (its mask, what is outside of its window) has the score -Inf and the weight 0, and what has the
// weight 0 adds nothing, whatever it holds.

override workgroup_size = 64u;

struct Uniforms {
  shape: array<vec4u, 2>, // of the batch dimensions; the last are the heads of the query
  query_strides: array<vec4u, 2>,
  key_strides: array<vec4u, 2>,
  value_strides: array<vec4u, 2>,
  mask_strides: array<vec4u, 2>,
  batches: u32, // of this launch, and the first of them
  first_batch: u32,
  rows: u32,
  keys: u32,
  columns: u32, // of query and key
  value_columns: u32,
  key_group: u32, // heads of the query for one of the key
  value_group: u32,
  shared_heads: u32, // batches whose gradients of key and value are added
  left: u32, // a row attends from `left` keys before its own index
  right: u32, // to `right` keys after it
  mask_row: u32, // strides of the mask
  mask_key: u32,
  mask_rows: u32, // its extents
  mask_keys: u32,
  mask_dims: u32, // a bit for each batch dimension along which it is not repeated
  key0: u32,
  key1: u32,
  p: f32,
  keep_scale: f32, // 1 / (1 - p)
  scale: f32,
  softcap: f32,
  softcap_reciprocal: f32,
  mask_repeats: u32, // how many batches share a mask
  // Where what is bound begins, in elements of the whole tensor.
  query_start: u32,
  key_start: u32,
  value_start: u32,
  mask_start: u32,
  result_start: u32, // of tensors like the result
  row_start: u32, // of numbers of rows, in rows
  grad_query_start: u32,
  grad_key_start: u32,
  grad_value_start: u32,
  grad_mask_start: u32,
  unused0: u32,
  unused1: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// The tensors, written by src/kernels/attention/bindings.ts: quads of their rows, what a mask makes of scores, what is dropped.
//#slot access
@group(0) @binding(1) var<storage, read> query: array<vec4f>;
fn query_quad(row: u32, q: u32) -> vec4f { return query[row / 4u + q]; }
//#end

// Where the matrices of a batch begin.
struct Places {
  query: u32,
  key: u32,
  value: u32,
  mask: u32,
  result: u32,
  head: u32,
}

fn places_of(batch: u32) -> Places {
  var rest = batch;
  var at = Places();
  for (var d = 8u; d > 0u; d--) {
    let i = d - 1u;
    let extent = u.shape[i / 4u][i % 4u];
    let n = rest % extent;
    rest /= extent;
    var key_n = n;
    var value_n = n;
    if (d == 8u) {
      at.head = n;
      key_n = n / u.key_group;
      value_n = n / u.value_group;
    }
    at.query += n * u.query_strides[i / 4u][i % 4u];
    at.key += key_n * u.key_strides[i / 4u][i % 4u];
    at.value += value_n * u.value_strides[i / 4u][i % 4u];
    at.mask += n * u.mask_strides[i / 4u][i % 4u];
  }
  at.query -= u.query_start;
  at.key -= u.key_start;
  at.value -= u.value_start;
  at.mask -= u.mask_start;
  at.result = batch * u.rows * u.value_columns - u.result_start;
  return at;
}

// The keys that a row attends to, from the first up to the last, which is not among them.
struct Span {
  first: u32,
  last: u32,
}

fn keys_of(row: u32) -> Span {
  return Span(max(row, u.left) - u.left, min(u.keys, row + u.right + 1u));
}

// The rows that attend to a key.
fn rows_of(key: u32) -> Span {
  return Span(max(key, u.right) - u.right, min(u.rows, key + u.left + 1u));
}

// What is kept of a row: the scale of its weights as its anchor has it, and what they are multiplied by, so that they add up to
// 1. Then the row sum of gradient times result, in the backward direction.
struct Statistics {
  shift: f32,
  scale: f32,
  factor: f32,
  delta: f32,
}

// On the row's own scale its largest weight is 2^-16 or so: sums of products with values up to 2^127 stay within float32 then,
// also where the largest is e^11 times larger than it was when the scale was chosen.
const headroom = 46;

fn anchor_for(row_max: f32) -> Anchor {
  let anchor = anchor_of(row_max);
  return anchor_at(anchor.shift, anchor.scale - headroom);
}

fn anchor_at(shift: f32, scale: i32) -> Anchor {
  return Anchor(shift, f32(-scale) * 0x1.62e43p-1f, scale);
}

// From the sum of a row's weights: 0 where it attends to nothing. A NaN makes all its weights NaN.
fn statistics_at_scale(shift: f32, scale: f32, sum: f32) -> Statistics {
  let factor = select(nl_quotient(1.0, sum), 0.0, sum == 0.0);
  let wrong = is_nan(sum);
  return Statistics(select(shift, nan(), wrong), scale, select(factor, nan(), wrong), 0.0);
}

fn statistics_of(row_max: f32, sum: f32) -> Statistics {
  let anchor = anchor_for(row_max);
  // Beside a score of +Inf all weights are NaN.
  let infinite = bitcast<u32>(row_max) == 0x7f800000u;
  return statistics_at_scale(anchor.shift, f32(anchor.scale), select(sum, nan(), infinite));
}

fn left_out(score: vec4f) -> vec4<bool> {
  return bitcast<vec4u>(score) == vec4u(0xff800000u);
}

// Weights of a row on its scale, not yet multiplied by its factor.
fn unscaled_weights(score: vec4f, anchor: Anchor) -> vec4f {
  return select(anchored_exp(score, anchor), vec4f(), left_out(score));
}

// The weights themselves. Also of a row that is NaN, what is left out has 0.
fn weights_of(score: vec4f, row: Statistics) -> vec4f {
  let weights = anchored_exp(score, anchor_at(row.shift, i32(row.scale))) * row.factor;
  return select(weights, vec4f(), left_out(score));
}

// Whether a weight, or a gradient of a score, is not 0. By its bits, as a NaN is not unequal to 0 everywhere.
fn counts(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) != 0u;
}

//#slot entry
//#include "software/attention-forward.wgsl"
//#end
