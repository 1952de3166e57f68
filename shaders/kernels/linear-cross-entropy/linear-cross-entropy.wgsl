//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/grid.wgsl"
//#include "lib/log1p.wgsl"
// Cross-entropy of logits that exist only in chunks of classes. A chunk holds [batch, count, inner] logits z,
// beginning at class `first`. A row is all classes at one index of batch and inner. For each chunk, `gather` updates
// five numbers per segment of a row, with one invocation per segment. `finish` combines the segments of a row and
// computes the losses. For the gradient, `factors` computes what the logits of a row have in common, and `gradient`
// overwrites the logits of a chunk.

override workgroup_size = 64u;
// Whether every class adds to the loss, as with label smoothing or class probabilities.
override weighted: bool = false;

struct Uniforms {
  classes: u32,
  inner: u32,
  rows: u32, // batch * inner
  first: u32,
  count: u32,
  segments: u32,
  invocations: u32, // number of invocations of `gradient`
  elements: u32, // number of logits in the chunk
  op_code: u32,
  ignore_index: i32,
  label_smoothing: f32,
  scale: f32, // upstream gradient of every row, if it is known when the kernel is planned
  softcap: f32, // the bound of logits; 0 for none
  inverse: f32, // one over the temperature
  z_loss: f32,  // factor of the squared logarithm of the sum of exponentials
  unused: f32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>;
// Five numbers per segment.
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;
// Five numbers per row, as `finish` writes them.
@group(0) @binding(5) var<storage, read_write> joined: array<f32>;
// The same numbers, as `factors` reads them.
@group(0) @binding(6) var<storage, read> statistics: array<f32>;
@group(0) @binding(7) var<storage, read_write> losses: array<f32>;
@group(0) @binding(8) var<storage, read_write> row_factors: array<vec4f>;
@group(0) @binding(9) var<storage, read> factors_of: array<vec4f>;

// src/kernels/linear-cross-entropy/plan.ts writes this slot and binds only what a call needs. This default has no
// weights.
//#slot access
fn class_weight(i: u32) -> f32 { return 1.0; }
fn upstream_of(row: u32) -> f32 { return u.scale; }
fn store_grad_target(i: u32, v: f32) {}
// What becomes of a logit z of the product, and of its gradient g.
const tempered = false;
fn temper(z: f32) -> f32 { return z; }
fn through_temper(g: f32, z: f32) -> f32 { return g; }
//#end

// What is known of a row, or of the part of a row that one invocation has read.
struct Row {
  max: f32,     // the largest logit
  // The sum of e^(z - max) without the largest logit, so 1 less than over all of them; -1 if there are none.
  sum_others: f32,
  at_label: f32, // the logit of the class index; 0 if it is in another part
  // The sum of s[c] (max - z[c]) / 16, where class c has the share s[c] in the loss. The division by 16 prevents
  // overflow.
  below: f32,
  share: f32,    // the sum of these shares
}

// Combines two parts of a row. The largest logit is kept apart from the sum of the others: if it is the label's, the
// loss is log1p(sum_others), which is accurate however small it is.
fn join(a: Row, b: Row) -> Row {
  var high = a;
  var low = b;
  if (b.max > a.max) {
    high = b;
    low = a;
  }
  let drop = high.max - low.max;
  return Row(
    high.max,
    high.sum_others + (1.0 + low.sum_others) * nl_exp(-drop),
    high.at_label + low.at_label,
    high.below + (low.below + low.share * (move_exponent(high.max, -4) - move_exponent(low.max, -4))),
    high.share + low.share,
  );
}

fn empty_row() -> Row {
  // The maximum is not -Inf, because e^(-Inf - max) would be NaN if other logits are finite.
  return Row(-0x1.fffffep+127f, -1.0, 0.0, 0.0, 0.0);
}

// The first numbers of all segments are stored together, then the second ones, and so on, so that neighbouring
// invocations read neighbouring memory.
fn load_part(i: u32) -> Row {
  let n = u.rows * u.segments;
  return Row(parts[i], parts[n + i], parts[2u * n + i], parts[3u * n + i], parts[4u * n + i]);
}

// The log-softmax of a row is undefined if the row contains NaN or +Inf, or nothing but -Inf.
fn is_broken(row: Row) -> bool {
  return row.sum_others < 0.0 || is_inf(row.max);
}

fn normaliser_of(row: Row) -> f32 {
  return select(nl_log1p(row.sum_others), nan(), is_broken(row));
}

// What the squared logarithm of the sum of exponentials adds to the loss, and its derivative for that logarithm.
fn z_of(row: Row) -> vec2f {
  if (u.z_loss == 0.0) {
    return vec2f();
  }
  let lse = row.max + normaliser_of(row);
  return u.z_loss * vec2f(lse * lse, 2.0 * lse);
}

//#slot target
//#include "kernels/linear-cross-entropy/index.wgsl"
//#end

@compute @workgroup_size(workgroup_size)
fn gather(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let i = invocation_index(grid, local);
  if (i >= u.rows * u.segments) {
    return;
  }
  let row = i / u.segments;
  let segment = i % u.segments;
  let base = (row / u.inner) * u.count * u.inner + row % u.inner;
  var found = empty_row();
  var at = u.count;
  for (var c = segment; c < u.count; c += u.segments) {
    let z = temper(logits[base + c * u.inner]);
    let higher = z > found.max;
    found.max = select(found.max, z, higher);
    at = select(at, c, higher);
  }
  // The sums are added in blocks of 32, so that the rounding error grows with the number of blocks, not of classes.
  var total = vec3f(select(0.0, -1.0, at == u.count), 0.0, 0.0);
  var c = segment;
  while (c < u.count) {
    var block = vec3f();
    for (var k = 0u; k < 32u && c < u.count; k++) {
      let z = temper(logits[base + c * u.inner]);
      let e = select(nl_exp(z - found.max), 0.0, c == at);
      if (weighted) {
        let share = share_of(row, u.first + c);
        block += vec3f(e, share * fma(-0x1p-4, z, 0x1p-4 * found.max), share);
      } else {
        block.x += e;
      }
      c += u.segments;
    }
    total += block;
  }
  let label = label_in_chunk(row);
  if (label < u.count && label % u.segments == segment) {
    found.at_label = temper(logits[base + label * u.inner]);
  }
  found = Row(found.max, total.x, found.at_label, total.y, total.z);
  if (u.first > 0u) {
    found = join(load_part(i), found);
  }
  let n = u.rows * u.segments;
  parts[i] = found.max;
  parts[n + i] = found.sum_others;
  parts[2u * n + i] = found.at_label;
  parts[3u * n + i] = found.below;
  parts[4u * n + i] = found.share;
}

@compute @workgroup_size(workgroup_size)
fn finish(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let row = invocation_index(grid, local);
  if (row >= u.rows) {
    return;
  }
  var found = load_part(row * u.segments);
  var s = 1u;
  while (s < u.segments) {
    var block = empty_row();
    for (var k = 0u; k < 16u && s < u.segments; k++) {
      block = join(block, load_part(row * u.segments + s));
      s++;
    }
    found = join(found, block);
  }
  joined[row] = found.max;
  joined[u.rows + row] = found.sum_others;
  joined[2u * u.rows + row] = found.at_label;
  joined[3u * u.rows + row] = found.below;
  joined[4u * u.rows + row] = found.share;
  losses[row] = loss_of(row, found);
}

@compute @workgroup_size(workgroup_size)
fn factors(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let i = invocation_index(grid, local);
  if (i >= u.rows) {
    return;
  }
  let row = Row(
    statistics[i],
    statistics[u.rows + i],
    statistics[2u * u.rows + i],
    statistics[3u * u.rows + i],
    statistics[4u * u.rows + i],
  );
  row_factors[i] = factors_for(i, row);
}

@compute @workgroup_size(workgroup_size)
fn gradient(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let across = u.count * u.inner;
  for (var i = invocation_index(grid, local); i < u.elements; i += u.invocations) {
    let column = i % across;
    let row = (i / across) * u.inner + column % u.inner;
    let z = logits[i];
    let g = gradient_of(row, u.first + column / u.inner, temper(z), factors_of[row]);
    logits[i] = through_temper(g, z);
  }
}
