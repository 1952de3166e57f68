//#include "lib/bits.wgsl"
//#include "lib/pow.wgsl"
//#include "lib/sqrt.wgsl"
// requires: B, Lane, V, agree, combine_max, combine_one, difference, each_pow, largest, smallest, total, u.inner, u.n
// requires: u.op, vector
// The p-norm of rows of differences, and its gradient, as in torch.linalg.vector_norm. The op provides `difference(k,
// at)` for each pair of tensors k below `pairs`, and `p` in Params. Where a plain sum would leave the range of
// float32, the differences are scaled first, so that norms from 2^-126 up to the largest float32 are correct.

// The kind of norm. 0: number of nonzero elements; 1: sum; 2: Euclidean; 3: any other p; 4: maximum; 5: minimum.
override kind: u32 = 2u;
override pairs: u32 = 1u;

struct Norm {
  value: f32,
  down: f32,  // a power of two that scales the norm to about 1
  unit: f32,  // 1 / (value * down)
  count: f32, // number of elements that have the maximum (minimum)
}

fn differ(k: u32, at: u32, down: f32) -> V {
  return abs(difference(k, at) * down);
}

fn term(d: V) -> V {
  switch kind {
    // By its bits, so that NaN counts as nonzero.
    case 0u: { return select(V(1.0), V(0.0), bitcast<B>(d) == B(0u)); }
    case 2u: { return d * d; }
    case 3u: { return each_pow(d, u.op.p); }
    default: { return d; }
  }
}

// The sums for all pairs at once, so that each element is read only once. They are added in blocks of 32, so that the
// rounding error grows with the number of blocks.
fn plain_sums(base: u32, lane: Lane, local: u32) -> vec3f {
  var sums = vec3f();
  var i = lane.first;
  while (i < u.n) {
    var first = V();
    var second = V();
    var third = V();
    for (var j = 0u; j < 32u && i < u.n; j++) {
      let at = base + i * u.inner;
      first += term(differ(0u, at, 1.0));
      if (pairs > 1u) { second += term(differ(1u, at, 1.0)); }
      if (pairs > 2u) { third += term(differ(2u, at, 1.0)); }
      i += lane.step;
    }
    sums += vec3f(total(first), total(second), total(third));
  }
  sums.x = combine_one(sums.x, local);
  if (pairs > 1u) { sums.y = combine_one(sums.y, local); }
  if (pairs > 2u) { sums.z = combine_one(sums.z, local); }
  return sums;
}

fn scaled_sum(k: u32, down: f32, unit: f32, base: u32, lane: Lane, local: u32) -> f32 {
  var sum = 0.0;
  var i = lane.first;
  while (i < u.n) {
    var block = V();
    for (var j = 0u; j < 32u && i < u.n; j++) {
      block += term(differ(k, base + i * u.inner, down) * unit);
      i += lane.step;
    }
    sum += total(block);
  }
  return combine_one(sum, local);
}

// The largest magnitude, or the smallest if `low`. NaN is ignored.
fn extreme(k: u32, low: bool, base: u32, lane: Lane, local: u32) -> f32 {
  let none = select(0u, 0x7f800000u, low);
  var found = none;
  for (var i = lane.first; i < u.n; i += lane.step) {
    let b = bitcast<B>(differ(k, base + i * u.inner, 1.0));
    let known = select(B(none), b, b <= B(0x7f800000u));
    found = select(max(found, largest(known)), min(found, smallest(known)), low);
  }
  let v = bitcast<f32>(found);
  return select(combine_max(v, local), -combine_max(-v, local), low);
}

// How many elements have the magnitude `value`, and how many are NaN.
fn counts_of(k: u32, value: f32, base: u32, lane: Lane, local: u32) -> vec2f {
  var sums = vec2f();
  for (var i = lane.first; i < u.n; i += lane.step) {
    let b = bitcast<B>(differ(k, base + i * u.inner, 1.0));
    sums.x += total(select(V(0.0), V(1.0), b == B(bitcast<u32>(value))));
    sums.y += total(select(V(0.0), V(1.0), b > B(0x7f800000u)));
  }
  return vec2f(combine_one(sums.x, local), combine_one(sums.y, local));
}

fn norm_of(k: u32, plain: f32, base: u32, lane: Lane, local: u32) -> Norm {
  if (kind < 2u) {
    return Norm(plain, 1.0, 1.0, 1.0);
  }
  if (kind > 3u) {
    let value = extreme(k, kind == 5u, base, lane, local);
    let counts = counts_of(k, value, base, lane, local);
    return Norm(select(value, nan(), counts.y > 0.0), 1.0, 1.0, max(counts.x, 1.0));
  }
  var sum = plain;
  var down = 1.0;
  var up = 0;
  // The comparison is negated so that it also holds for a NaN.
  if (agree(kind == 3u || !(plain > 0x1p-80 && plain < 0x1p+100), local)) {
    let m = extreme(k, u.op.p < 0.0, base, lane, local);
    up = clamp(i32(bitcast<u32>(m) >> 23u) - 127, -126, 126);
    let scales = m > 0.0 && !is_inf(m);
    up = select(0, up, scales);
    down = pow2i(-up);
    let unit = select(1.0, nl_reciprocal(m * down), kind == 3u && scales);
    sum = scaled_sum(k, down, unit, base, lane, local);
    if (kind == 3u) {
      // Where the sum is 0 or Inf, nl_pow gives the correct limit for both signs of p.
      let value = nl_pow(sum, nl_reciprocal(u.op.p)) * select(1.0, m * down, scales);
      return Norm(scale2(value, up), down, nl_reciprocal(value), 1.0);
    }
  }
  let root = nl_sqrt(sum);
  return Norm(scale2(root, up), down, nl_reciprocal(root), 1.0);
}

fn sign_of(d: V) -> V {
  return select(V(0.0), V(1.0), d > V(0.0)) - select(V(0.0), V(1.0), d < V(0.0));
}

// g times the gradient of the norm with respect to a difference. Where the norm is 0 the result is 0, even for an
// infinite g.
fn norm_grad(k: u32, at: u32, norm: Norm, g: f32) -> V {
  let d = difference(k, at);
  switch kind {
    case 0u: { return V(0.0); }
    case 1u: { return g * sign_of(d); }
    case 2u: { return select(g * ((d * norm.down) * norm.unit), V(0.0), vector(norm.value == 0.0)); }
    case 3u: {
      let slope = sign_of(d) * each_pow(abs(d * norm.down) * norm.unit, u.op.p - 1.0);
      return select(g * select(slope, V(0.0), d == V(0.0)), V(0.0), vector(norm.value == 0.0));
    }
    default: {
      let extreme = bitcast<B>(abs(d)) == B(bitcast<u32>(norm.value));
      return g * select(V(0.0), sign_of(d) / norm.count, extreme);
    }
  }
}
