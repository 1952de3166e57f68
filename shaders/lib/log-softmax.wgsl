//#include "lib/bits.wgsl"
//#include "lib/anchored-exp.wgsl"
//#include "lib/normaliser.wgsl"
// The maximum of a row and the sum of its exponentials, in one pass: when a larger element comes, the sum so far is taken to
// its scale. Where `apart`, the sum is kept without (one of) the largest element: its logarithm is then log1p, and relatively
// exact also where the largest element outweighs all the rest. The file is for kernels that define `apart`, the rows slot
// and Block.

struct RowSum {
  peak: f32,       // -Inf at first
  anchor: Anchor,  // of the peak
  at_peak: f32,    // e^peak on that scale, where it is kept apart from the sum; else 0
  block: vec4f,    // the sum of the present blocks: in two stages, so that the error grows with neither's length alone
  rest: vec4f,
}

// Of a first block; `e`: its exponentials.
fn first_sum(x: Block, e: ptr<function, Block>) -> RowSum {
  let peak = largest_of(x);
  let anchor = anchor_of(peak);
  *e = exp_of(x, anchor);
  if (!apart) {
    return RowSum(peak, anchor, 0.0, vec4f(), sum_of(*e));
  }
  let at_peak = largest_of(chosen(*e, x, peak, true));
  let more = horizontal_sum(sum_of(chosen(ones(), x, peak, true))) - 1.0;
  // Nothing but -Inf: nothing to be kept apart.
  let some = at_peak > 0.0;
  return RowSum(peak, anchor, at_peak, select(vec4f(), vec4f(more * at_peak, 0.0, 0.0, 0.0), some), sum_of(chosen(*e, x, peak, false)));
}

fn add_to(s: ptr<function, RowSum>, x: Block) {
  let peak = largest_of(x);
  let rises = peak > (*s).peak;
  if (rises) {
    let anchor = anchor_of(peak);
    let factor = rescale((*s).anchor, anchor);
    (*s).rest = ((*s).rest + vec4f((*s).at_peak, 0.0, 0.0, 0.0)) * factor;
    (*s).block *= factor;
    (*s).peak = peak;
    (*s).anchor = anchor;
  }
  var e = exp_of(x, (*s).anchor);
  if (apart && rises) {
      let at_peak = largest_of(chosen(e, x, peak, true));
    (*s).at_peak = at_peak;
    (*s).rest.x += (horizontal_sum(sum_of(chosen(ones(), x, peak, true))) - 1.0) * at_peak;
    e = chosen(e, x, peak, false);
  }
  (*s).block += sum_of(e);
}

// Ends a stage of the sum.
fn end_stage(s: ptr<function, RowSum>) {
  (*s).rest += (*s).block;
  (*s).block = vec4f();
}

// Adds the sum of another part of the row, kept as its peak and rest.
fn merge(s: ptr<function, RowSum>, peak: f32, rest: f32) {
  let other = anchor_of(peak);
  let at_peak = select(0.0, anchored_exp(vec4f(peak), other).x, apart);
  if (peak > (*s).peak) {
    let factor = rescale((*s).anchor, other);
    (*s).rest = ((*s).rest + (*s).block + vec4f((*s).at_peak, 0.0, 0.0, 0.0)) * factor;
    (*s).block = vec4f();
    (*s).rest.y += rest;
    (*s).peak = peak;
    (*s).anchor = other;
    (*s).at_peak = at_peak;
  } else {
    (*s).rest.x += (rest + at_peak) * rescale(other, (*s).anchor);
  }
}

fn no_sum() -> RowSum {
  return RowSum(-infinity(), anchor_of(-infinity()), 0.0, vec4f(), vec4f());
}

// From the sums of all lanes that share a row, or a chunk of one.
fn normaliser_of(s: RowSum, local: u32, whole: bool) -> Normaliser {
  var peak = s.peak;
  var anchor = s.anchor;
  var at_peak = s.at_peak;
  var rest = horizontal_sum(s.rest + s.block);
  if (shared_row) {
    peak = combine_max(s.peak, local);
    anchor = anchor_of(peak);
    // One lane keeps its peak apart; any others of the same peak add theirs to the rest.
    let first = apart && peak == s.peak;
    at_peak = select(0.0, anchored_exp(vec4f(peak), anchor).x, apart);
    let part = select((rest + s.at_peak) * rescale(s.anchor, anchor), rest, first);
    let total = combine_sum(vec2f(part, select(0.0, 1.0, first)), local);
    rest = total.x + select(0.0, (total.y - 1.0) * at_peak, total.y > 1.0);
  }
  return normaliser(peak, anchor, rest, at_peak, whole);
}
