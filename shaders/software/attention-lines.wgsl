// requires: Places, key_quad, left_out, masked, query_quad, u.keys, u.left, u.right, u.rows
//#include "lib/fragments.wgsl"
//#include "lib/anchored-exp.wgsl"
// Attention for GPUs that are emulated on a CPU, where barriers are dear, and a load costs as much as many multiplications: an
// invocation has four rows and goes through the keys, or four keys and goes through the rows, four at a time. What it has of four
// keys and four rows is a fragment: of each key a vector with an element for each row.

const next_four = vec4u(0u, 1u, 2u, 3u);

// Of each row from `row` on, or of each key: where its elements begin. Past the last, the last stands in.
fn starts_of(matrix: u32, first: u32, count: u32, columns: u32) -> vec4u {
  return vec4u(matrix) + min(vec4u(first) + next_four, vec4u(count - 1u)) * columns;
}

fn query_lines(starts: vec4u, q: u32) -> mat4x4f {
  return mat4x4f(query_quad(starts.x, q), query_quad(starts.y, q), query_quad(starts.z, q), query_quad(starts.w, q));
}

fn key_lines(starts: vec4u, q: u32) -> mat4x4f {
  return mat4x4f(key_quad(starts.x, q), key_quad(starts.y, q), key_quad(starts.z, q), key_quad(starts.w, q));
}

// Adds products of four rows and four keys over a quad of columns, which has a sum of its own: the rounding error grows with the
// number of quads, not of columns.
fn add_quads(sums: Fragment, keys: mat4x4f, rows: mat4x4f) -> Fragment {
  return add_fragments(sums, add_block_products(Fragment(), keys, rows));
}

// What is attended to of a key and four rows; all else has -Inf.
fn attended(score: vec4f, at: Places, row: u32, key: u32) -> vec4f {
  let rows = vec4u(row) + next_four;
  let i = min(rows, vec4u(u.rows - 1u));
  let j = min(key, u.keys - 1u);
  let s = vec4f(
    masked(score.x, at.mask, i.x, j),
    masked(score.y, at.mask, i.y, j),
    masked(score.z, at.mask, i.z, j),
    masked(score.w, at.mask, i.w, j),
  );
  // As keys_of has it.
  let first = max(i, vec4u(u.left)) - vec4u(u.left);
  let last = min(vec4u(u.keys), i + vec4u(u.right) + vec4u(1u));
  let inside = (rows < vec4u(u.rows)) & (vec4u(key) >= first) & (vec4u(key) < last);
  return select(vec4f(-infinity()), s, inside);
}

fn attended_lines(s: Fragment, at: Places, row: u32, key: u32) -> Fragment {
  return Fragment(
    attended(s.r0, at, row, key),
    attended(s.r1, at, row, key + 1u),
    attended(s.r2, at, row, key + 2u),
    attended(s.r3, at, row, key + 3u),
  );
}

// Anchors of four rows.
struct Anchors {
  shift: vec4f,
  lowest: vec4f,
  scale: vec4i,
}

fn weights_on(score: vec4f, rows: Anchors) -> vec4f {
  return select(anchored_exp_each(score, rows.shift, rows.lowest, rows.scale), vec4f(), left_out(score));
}

// Lines of rows become lines of keys, and back.
fn turned(f: Fragment) -> mat4x4f {
  return transpose(mat4x4f(f.r0, f.r1, f.r2, f.r3));
}

fn count_of(weights: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(weights) & vec4u(0x7fffffffu)) != vec4u();
}

// Whether none of them is 0.
fn all_count(f: Fragment) -> bool {
  return all(count_of(f.r0) & count_of(f.r1) & count_of(f.r2) & count_of(f.r3));
}

// Adds four lines times their weights. `plain`: none of these is 0. Else what has the weight 0 adds nothing, whatever it holds.
fn add_lines(sum: vec4f, weights: vec4f, lines: mat4x4f, plain: bool) -> vec4f {
  if (plain) {
    let half = fma(vec4f(weights.y), lines[1], fma(vec4f(weights.x), lines[0], sum));
    return fma(vec4f(weights.w), lines[3], fma(vec4f(weights.z), lines[2], half));
  }
  let counted = count_of(weights);
  var s = select(sum, fma(vec4f(weights.x), lines[0], sum), counted.x);
  s = select(s, fma(vec4f(weights.y), lines[1], s), counted.y);
  s = select(s, fma(vec4f(weights.z), lines[2], s), counted.z);
  return select(s, fma(vec4f(weights.w), lines[3], s), counted.w);
}
