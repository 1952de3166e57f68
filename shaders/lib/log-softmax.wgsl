//#include "lib/bits.wgsl"
//#include "lib/anchored-exp.wgsl"
//#include "lib/normaliser.wgsl"
// requires: Block, chosen, combine_max, combine_sum, exp_of, horizontal_sum, in_registers, largest_of, ones
// requires: shared_row, sum_excludes_max, sum_of
// The maximum of a row and the sum of its exponentials, in one pass: when a larger element comes, the sum so far is taken to
// its scale. Where `sum_excludes_max`, the sum is kept without (one of) the largest element: its logarithm is then log1p, and relatively
// exact also where the largest element outweighs all the rest. The file is for kernels that define `sum_excludes_max`, the rows slot
// and Block.

struct RowSum {
  max: f32,       // -Inf at first
  anchor: Anchor,  // of the maximum
  exp_max: f32,    // e^max on that scale, where it is kept apart from the sum; else 0
  block: vec4f,    // the sum of the present blocks: in two stages, so that the error grows with neither's length alone
  sum_others: vec4f,
}

// Of a first block; `e`: its exponentials.
fn first_sum(x: Block, e: ptr<function, Block>) -> RowSum {
  let row_max = largest_of(x);
  let anchor = anchor_of(row_max);
  *e = exp_of(x, anchor);
  if (!sum_excludes_max) {
    return RowSum(row_max, anchor, 0.0, vec4f(), sum_of(*e));
  }
  let exp_max = largest_of(chosen(*e, x, row_max, true));
  let more = horizontal_sum(sum_of(chosen(ones(), x, row_max, true))) - 1.0;
  // Nothing but -Inf: nothing to be kept apart.
  let some = exp_max > 0.0;
  return RowSum(row_max, anchor, exp_max, select(vec4f(), vec4f(more * exp_max, 0.0, 0.0, 0.0), some), sum_of(chosen(*e, x, row_max, false)));
}

fn add_to(s: ptr<function, RowSum>, x: Block) {
  let row_max = largest_of(x);
  let rises = row_max > (*s).max;
  if (rises) {
    let anchor = anchor_of(row_max);
    let factor = rescale((*s).anchor, anchor);
    (*s).sum_others = ((*s).sum_others + vec4f((*s).exp_max, 0.0, 0.0, 0.0)) * factor;
    (*s).block *= factor;
    (*s).max = row_max;
    (*s).anchor = anchor;
  }
  var e = exp_of(x, (*s).anchor);
  if (sum_excludes_max && rises) {
      let exp_max = largest_of(chosen(e, x, row_max, true));
    (*s).exp_max = exp_max;
    (*s).sum_others.x += (horizontal_sum(sum_of(chosen(ones(), x, row_max, true))) - 1.0) * exp_max;
    e = chosen(e, x, row_max, false);
  }
  (*s).block += sum_of(e);
}

// Ends a stage of the sum.
fn end_stage(s: ptr<function, RowSum>) {
  (*s).sum_others += (*s).block;
  (*s).block = vec4f();
}

// Adds the sum of another part of the row, kept as its maximum and rest.
fn merge(s: ptr<function, RowSum>, row_max: f32, sum_others: f32) {
  let other = anchor_of(row_max);
  let exp_max = select(0.0, anchored_exp(vec4f(row_max), other).x, sum_excludes_max);
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

// Takes the exponentials of a lane's last block to the scale of the row. Of a row in registers they are on the lane's own;
// else that has risen since.
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

// From the sums of all lanes that share a row, or a chunk of one.
fn normaliser_of(s: RowSum, local: u32, whole: bool) -> Normaliser {
  var row_max = s.max;
  var anchor = s.anchor;
  var exp_max = s.exp_max;
  var sum_others = horizontal_sum(s.sum_others + s.block);
  if (shared_row) {
    row_max = combine_max(s.max, local);
    anchor = anchor_of(row_max);
    // One lane keeps its maximum apart; any others of the same maximum add theirs to the rest.
    let first = sum_excludes_max && row_max == s.max;
    exp_max = select(0.0, anchored_exp(vec4f(row_max), anchor).x, sum_excludes_max);
    let part = select((sum_others + s.exp_max) * rescale(s.anchor, anchor), sum_others, first);
    let total = combine_sum(vec2f(part, select(0.0, 1.0, first)), local);
    sum_others = total.x + select(0.0, (total.y - 1.0) * exp_max, total.y > 1.0);
  }
  return normaliser(row_max, anchor, sum_others, exp_max, whole);
}
