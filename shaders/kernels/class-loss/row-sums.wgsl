// requires: Block, Lane, Normaliser, RowSum, add_to, block_quads, combine_sum, end_stage, first_sum, horizontal_sum
// requires: in_registers, inside_last, log_sum_of, merge, move_exponent, no_sum, normalised, normaliser_of, padded
// requires: parts, scores_at, scores_block, scores_last, shared_row, soft, soft_block, soft_last, sum_of, u.chunks
// requires: u.rows, z_factor
// The part of class-loss.wgsl that makes the sums of a row, in one pass over its scores.
//
// Where every class adds to the loss (`soft`) with a factor s[c], the sum of -s[c] l[c] is accumulated beside the
// exponentials, as sum_c s[c] (max - x[c]) + log-sum-exp(x - max) sum_c s[c]. For s >= 0 no terms of it cancel. The
// first sum is kept divided by 16 (`far`): max - x may be twice the largest float32 though the loss is finite, and
// compilers may factor s out of a sum of four such terms.

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
  // By the exponent: of a difference of two such products compilers make one, of a difference that may overflow.
  return move_exponent(select(row_max, -0x1.fffffep+127f, row_max < -0x1.fffffep+127f), -4);
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
        if (soft) {
          sum = SoftSum(sum.far + sum.far_block, sum.weight + sum.weight_block, vec4f(), vec4f());
        }
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

// What the square of the logarithm of the sum of exponentials adds to the loss, and its derivative for that logarithm.
fn z_of(row: Row) -> vec2f {
  let lse = row.sums.max + row.log_sum;
  if (z_factor() == 0.0) {
    return vec2f();
  }
  return z_factor() * vec2f(lse * lse, 2.0 * lse);
}

// The sum of -s[c] l[c] over the row.
fn soft_loss(row: Row) -> f32 {
  return fma(row.log_sum, row.soft.y, 16.0f * row.soft.x);
}
