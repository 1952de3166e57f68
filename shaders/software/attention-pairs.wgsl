// requires: grad_quad, key_quad, left_out, query_quad, softcap_slope, u.columns, u.scale, u.value_columns, value_quad
//#include "lib/anchored-exp.wgsl"
// Attention for GPUs that are emulated on a CPU, where barriers are dear: an invocation has a row and goes through the keys, or a
// key and the rows, four at a time. A vector has an element for each of these four pairs of a row and a key.

const next_four = vec4u(0u, 1u, 2u, 3u);

// Which of four numbers are not 0. By their bits, as a NaN is not unequal to 0 everywhere.
fn counted_of(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) != vec4u();
}

// The sum of four quads times their weights. What has the weight 0 adds nothing, whatever it holds.
fn weighted(w: vec4f, counted: vec4<bool>, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  let first = select(vec4f(), w.x * a, counted.x) + select(vec4f(), w.y * b, counted.y);
  return first + (select(vec4f(), w.z * c, counted.z) + select(vec4f(), w.w * d, counted.w));
}

fn dots(x: vec4f, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  return vec4f(dot(x, a), dot(x, b), dot(x, c), dot(x, d));
}

// Products of a row of the query and four keys.
fn products_of_row(row: u32, keys: vec4u) -> vec4f {
  var s = vec4f();
  for (var q = 0u; q * 4u < u.columns; q++) {
    let x = query_quad(row, q);
    s += dots(x, key_quad(keys.x, q), key_quad(keys.y, q), key_quad(keys.z, q), key_quad(keys.w, q));
  }
  return s;
}

// Of a key and four rows of the query.
fn products_of_key(key: u32, rows: vec4u) -> vec4f {
  var s = vec4f();
  for (var q = 0u; q * 4u < u.columns; q++) {
    let x = key_quad(key, q);
    s += dots(x, query_quad(rows.x, q), query_quad(rows.y, q), query_quad(rows.z, q), query_quad(rows.w, q));
  }
  return s;
}

// Gradients of four weights: products of the gradient of a row's result and four values.
fn upstream_of_row(row: u32, values: vec4u) -> vec4f {
  var s = vec4f();
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    let x = grad_quad(row, q);
    s += dots(x, value_quad(values.x, q), value_quad(values.y, q), value_quad(values.z, q), value_quad(values.w, q));
  }
  return s;
}

// Of a value and four rows of the result.
fn upstream_of_key(value: u32, rows: vec4u) -> vec4f {
  var s = vec4f();
  for (var q = 0u; q * 4u < u.value_columns; q++) {
    let x = value_quad(value, q);
    s += dots(x, grad_quad(rows.x, q), grad_quad(rows.y, q), grad_quad(rows.z, q), grad_quad(rows.w, q));
  }
  return s;
}

// The statistics of the row of each pair.
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
fn pairs_of(raw: vec4f, score: vec4f, keep: vec4f, upstream: vec4f, rows: PairStatistics) -> Pairs {
  let scale = vec4i(rows.scale);
  let exps = anchored_exp_each(score, rows.shift, vec4f(-scale) * 0x1.62e43p-1f, scale);
  let weights = select(exps * rows.factor, vec4f(), left_out(score));
  let counted = counted_of(weights);
  let dropped = weights * keep;
  let above = select(vec4f(), upstream * keep, counted_of(dropped));
  let slopes = weights * (above - rows.delta) * softcap_slope(raw) * u.scale;
  return Pairs(dropped, select(vec4f(), slopes, counted));
}
