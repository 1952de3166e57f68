//#include "lib/bits.wgsl"
//#include "lib/anchored-exp.wgsl"
//#include "lib/normaliser.wgsl"
// requires: Block, block_quads, chosen, combine_max, combine_sum, count_of, exp_of, horizontal_sum, in_registers
// requires: largest_of, shared_row, sum_excludes_max, sum_of
// The maximum of a row and the sum of its exponentials, in one pass (online softmax). When an element is larger than the
// maximum so far, the sum so far is multiplied by a factor that converts it to the new maximum. If `sum_excludes_max`, the
// exponential of the largest element (of one of them, if several are equal) is left out of the sum. The logarithm of the
// whole sum is then a log1p, which has a small relative error even where the largest element outweighs all others.

struct RowSum {
  max: f32,       // the largest element so far; -Inf before the first
  anchor: Anchor,  // of the maximum
  exp_max: f32,    // e^max on the anchor's scale if the sum leaves it out, else 0
  block: vec4f,    // the sum of the latest blocks, which `end_stage` adds to `sum`: two stages make less rounding error
  sum_others: vec4f,
}

// The sum of a first block. `e` becomes its exponentials.
fn first_sum(x: Block, e: ptr<function, Block>) -> RowSum {
  let row_max = largest_of(x);
  let anchor = anchor_of(row_max);
  *e = exp_of(x, anchor);
  if (!sum_excludes_max) {
    return RowSum(row_max, anchor, 0.0, vec4f(), sum_of(*e));
  }
  let exp_max = largest_of(chosen(*e, x, row_max, true));
  let more = horizontal_sum(count_of(x, row_max)) - 1.0;
  // If all elements are -Inf, there is no exponential to leave out.
  let some = exp_max > 0.0;
  return RowSum(row_max, anchor, exp_max, select(vec4f(), vec4f(more * exp_max, 0.0, 0.0, 0.0), some), sum_of(chosen(*e, x, row_max, false)));
}

fn quad_below_max(x: vec4f, row_max: f32) -> vec4f {
  return select(x, vec4f(-infinity()), x == vec4f(row_max));
}

// The elements that do not equal `row_max`; -Inf, whose exponential is 0, in place of those that do.
fn below_max(x: Block, row_max: f32) -> Block {
  var v: Block;
  v.a = quad_below_max(x.a, row_max);
  if (block_quads > 1u) {
    v.b = quad_below_max(x.b, row_max);
  }
  if (block_quads > 2u) {
    v.c = quad_below_max(x.c, row_max);
  }
  if (block_quads > 3u) {
    v.d = quad_below_max(x.d, row_max);
  }
  return v;
}

// There is one branch, and only for a new maximum, as all invocations of a group wait for those that take it. Emulated GPUs
// compute it in any case, and leave its results out.
fn add_to(s: ptr<function, RowSum>, block: Block) {
  var x = block;
  let row_max = largest_of(x);
  if (row_max > (*s).max) {
    let anchor = anchor_of(row_max);
    let factor = rescale((*s).anchor, anchor);
    (*s).sum_others = ((*s).sum_others + vec4f((*s).exp_max, 0.0, 0.0, 0.0)) * factor;
    (*s).block *= factor;
    (*s).max = row_max;
    (*s).anchor = anchor;
    if (sum_excludes_max) {
      let exp_max = anchored_exp_one(row_max, anchor);
      (*s).exp_max = exp_max;
      (*s).sum_others.x += (horizontal_sum(count_of(x, row_max)) - 1.0) * exp_max;
      x = below_max(x, row_max);
    }
  }
  (*s).block += sum_of(exp_of(x, (*s).anchor));
}

// Adds the sum of the latest blocks to the whole sum.
fn end_stage(s: ptr<function, RowSum>) {
  (*s).sum_others += (*s).block;
  (*s).block = vec4f();
}

// Adds the sum of another part of the row, which is given as its maximum and the sum of its other exponentials.
fn merge(s: ptr<function, RowSum>, row_max: f32, sum_others: f32) {
  let other = anchor_of(row_max);
  let exp_max = select(0.0, anchored_exp_one(row_max, other), sum_excludes_max);
  if (row_max > (*s).max) {
    let factor = rescale((*s).anchor, other);
    (*s).sum_others = ((*s).sum_others + (*s).block + vec4f((*s).exp_max, 0.0, 0.0, 0.0)) * factor;
    (*s).block = vec4f();
    (*s).sum_others.y += sum_others;
    (*s).max = row_max;
    (*s).anchor = other;
    (*s).exp_max = exp_max;
  } else {
    (*s).sum_others.x += (sum_others + exp_max) * rescale(other, (*s).anchor);
  }
}

// Makes the exponentials `e` of a lane's last block those on the scale of the row. If the whole row is in registers, a factor
// is enough. Otherwise the scale may have changed several times since, and they are computed again from `last`.
fn put_on_scale(e: ptr<function, Block>, x: Block, own: Anchor, anchor: Anchor) {
  if (!in_registers) {
    *e = exp_of(x, anchor);
  } else if (shared_row) {
    let factor = rescale(own, anchor);
    (*e).a *= factor;
    (*e).b *= factor;
    (*e).c *= factor;
    (*e).d *= factor;
  }
}

fn no_sum() -> RowSum {
  return RowSum(-infinity(), anchor_of(-infinity()), 0.0, vec4f(), vec4f());
}

// Combines the sums of all lanes that share a row or a chunk of a row.
fn normaliser_of(s: RowSum, local: u32, whole: bool) -> Normaliser {
  var row_max = s.max;
  var anchor = s.anchor;
  var exp_max = s.exp_max;
  var sum_others = horizontal_sum(s.sum_others + s.block);
  if (shared_row) {
    row_max = combine_max(s.max, local);
    anchor = anchor_of(row_max);
    // One lane leaves the exponential of its maximum out. Other lanes with the same maximum add theirs.
    let first = sum_excludes_max && row_max == s.max;
    exp_max = select(0.0, anchored_exp_one(row_max, anchor), sum_excludes_max);
    let part = select((sum_others + s.exp_max) * rescale(s.anchor, anchor), sum_others, first);
    let total = combine_sum(vec2f(part, select(0.0, 1.0, first)), local);
    sum_others = total.x + select(0.0, (total.y - 1.0) * exp_max, total.y > 1.0);
  }
  return normaliser(row_max, anchor, sum_others, exp_max, whole);
}
