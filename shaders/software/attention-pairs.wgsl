// requires: grad_at, keep, key_at, left_out, masked, query_at, softcap_slope, sum_quads, u.columns, u.keys
// requires: u.rows, u.scale, u.value_columns, value_at
//#include "lib/anchored-exp.wgsl"
// Attention for GPUs that are emulated on a CPU, where barriers are dear and a load takes as long as several multiply-adds: an
// invocation has four rows and goes through the keys four at a time, or four keys and the rows. A matrix has what is computed of these
// 16 pairs: in column a those of the a-th own row with the four others. What is done with scores goes own row by own row, as it
// would take long to compile four times.

const next_four = vec4u(0u, 1u, 2u, 3u);

// Products, then weights, or gradients of scores, of the pairs at hand, and gradients of weights.
var<private> pairs: mat4x4f;
var<private> upstream: mat4x4f;
// All bits of a pair are set where its weight is not 0.
var<private> counted: array<vec4u, 4>;
// The sums of the own rows: column a of the matrix q has those of row a in the four columns from 4 q on.
var<private> sums: array<mat4x4f, sum_quads>;

// Four columns of four rows.
struct Quads {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

fn query_quads(at: vec4u, q: u32) -> Quads {
  return Quads(query_at(at.x, q), query_at(at.y, q), query_at(at.z, q), query_at(at.w, q));
}

fn key_quads(at: vec4u, q: u32) -> Quads {
  return Quads(key_at(at.x, q), key_at(at.y, q), key_at(at.z, q), key_at(at.w, q));
}

fn value_quads(at: vec4u, q: u32) -> Quads {
  return Quads(value_at(at.x, q), value_at(at.y, q), value_at(at.z, q), value_at(at.w, q));
}

fn grad_quads(at: vec4u, q: u32) -> Quads {
  return Quads(grad_at(at.x, q), grad_at(at.y, q), grad_at(at.z, q), grad_at(at.w, q));
}

// Where four rows begin. There may be fewer: the last one stands for those that there are not.
fn four_rows(start: u32, step: u32, first: u32, count: u32) -> vec4u {
  return vec4u(start) + min(vec4u(first) + next_four, vec4u(count - 1u)) * step;
}

fn quads_of(columns: u32) -> u32 {
  return (columns + 3u) / 4u;
}

fn dots(x: vec4f, y: Quads) -> vec4f {
  return vec4f(dot(x, y.a), dot(x, y.b), dot(x, y.c), dot(x, y.d));
}

fn add_dots(s: mat4x4f, x: Quads, y: Quads) -> mat4x4f {
  return mat4x4f(s[0] + dots(x.a, y), s[1] + dots(x.b, y), s[2] + dots(x.c, y), s[3] + dots(x.d, y));
}

// Products of four rows of the query and four keys.
fn products_of_rows(rows: vec4u, keys: vec4u) -> mat4x4f {
  var s = mat4x4f();
  for (var q = 0u; q < quads_of(u.columns); q++) { s = add_dots(s, query_quads(rows, q), key_quads(keys, q)); }
  return s;
}

// Gradients of weights: products of the gradients of four rows of the result and four values.
fn upstream_of_rows(rows: vec4u, values: vec4u) -> mat4x4f {
  var s = mat4x4f();
  for (var q = 0u; q < quads_of(u.value_columns); q++) { s = add_dots(s, grad_quads(rows, q), value_quads(values, q)); }
  return s;
}

// The same of four keys, or values, and four rows.
fn products_of_keys(keys: vec4u, rows: vec4u) -> mat4x4f {
  var s = mat4x4f();
  for (var q = 0u; q < quads_of(u.columns); q++) { s = add_dots(s, key_quads(keys, q), query_quads(rows, q)); }
  return s;
}

fn upstream_of_keys(values: vec4u, rows: vec4u) -> mat4x4f {
  var s = mat4x4f();
  for (var q = 0u; q < quads_of(u.value_columns); q++) { s = add_dots(s, value_quads(values, q), grad_quads(rows, q)); }
  return s;
}

// Which of four numbers are not 0. By their bits, as a NaN is not unequal to 0 everywhere.
fn counted_of(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) != vec4u();
}

// Keeps the weights of the a-th own row.
fn keep_weights(a: u32, w: vec4f) {
  pairs[a] = w;
  counted[a] = select(vec4u(), vec4u(0xffffffffu), counted_of(w));
}

fn part(w: f32, bits: u32, x: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(w * x) & vec4u(bits));
}

// The sum of four quads times their weights. What has the weight 0 adds nothing, whatever it holds.
fn weighted(w: vec4f, bits: vec4u, x: Quads) -> vec4f {
  return (part(w.x, bits.x, x.a) + part(w.y, bits.y, x.b)) + (part(w.z, bits.z, x.c) + part(w.w, bits.w, x.d));
}

// Sums of the own rows and what the pairs add to them.
fn add_weighted(s: mat4x4f, x: Quads) -> mat4x4f {
  return mat4x4f(
    s[0] + weighted(pairs[0], counted[0], x),
    s[1] + weighted(pairs[1], counted[1], x),
    s[2] + weighted(pairs[2], counted[2], x),
    s[3] + weighted(pairs[3], counted[3], x),
  );
}

// The keys, or rows, that an own row takes part with, from the first up to the last, which is not among them.
fn within(score: vec4f, first: vec4u, begin: u32, end: u32) -> vec4f {
  return select(vec4f(-infinity()), score, (first >= vec4u(begin)) & (first < vec4u(end)));
}

// What a row attends to of the four keys from `key` on; all others have -Inf.
fn attended(score: vec4f, mask: u32, row: u32, key: u32, begin: u32, end: u32) -> vec4f {
  let j = vec4u(key) + next_four;
  let keys = min(j, vec4u(u.keys - 1u));
  let s = vec4f(
    masked(score.x, mask, row, keys.x),
    masked(score.y, mask, row, keys.y),
    masked(score.z, mask, row, keys.z),
    masked(score.w, mask, row, keys.w),
  );
  return within(s, j, begin, end);
}

// What four rows from `row` on make of a key; those that do not attend to it have -Inf.
fn attending(score: vec4f, mask: u32, row: u32, key: u32, begin: u32, end: u32) -> vec4f {
  let i = vec4u(row) + next_four;
  let rows = min(i, vec4u(u.rows - 1u));
  let s = vec4f(
    masked(score.x, mask, rows.x, key),
    masked(score.y, mask, rows.y, key),
    masked(score.z, mask, rows.z, key),
    masked(score.w, mask, rows.w, key),
  );
  return within(s, i, begin, end);
}

// What dropout multiplies by. `index`: of a row among those of all batches.
fn kept_of_keys(key: u32, index: u32) -> vec4f {
  return vec4f(keep(key, index), keep(key + 1u, index), keep(key + 2u, index), keep(key + 3u, index));
}

fn kept_of_rows(key: u32, index: u32) -> vec4f {
  return vec4f(keep(key, index), keep(key, index + 1u), keep(key, index + 2u), keep(key, index + 3u));
}

// The statistics of the row of each of four pairs.
struct PairStatistics {
  shift: vec4f,
  scale: vec4f,
  factor: vec4f,
  delta: vec4f,
}

struct Pairs {
  weights: vec4f, // what values are multiplied by
  product_slopes: vec4f, // gradients of the products of query and key
}

// From products times the scale, masked scores, what dropout multiplies by, and the gradients of weights after dropout.
fn pairs_of(raw: vec4f, score: vec4f, keep: vec4f, above: vec4f, rows: PairStatistics) -> Pairs {
  let scale = vec4i(rows.scale);
  let exps = anchored_exp_each(score, rows.shift, vec4f(-scale) * 0x1.62e43p-1f, scale);
  let weights = select(exps * rows.factor, vec4f(), left_out(score));
  let dropped = weights * keep;
  let own = select(vec4f(), above * keep, counted_of(dropped));
  let slopes = weights * (own - rows.delta) * softcap_slope(raw) * u.scale;
  return Pairs(dropped, select(vec4f(), slopes, counted_of(weights)));
}
