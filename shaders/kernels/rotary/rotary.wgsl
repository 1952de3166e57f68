// Turns pairs of columns by the angles of a table: (u, v) becomes (u cos - v sin, v cos + u sin). The other columns pass.
// An invocation turns four pairs, or one where rows do not divide into such groups.

override workgroup_size = 256u;
// Whether pairs are neighbours; otherwise they are half of the turned columns apart.
override interleaved = false;

//#slot access
alias Group = vec4f;
struct Pair {
  u: Group,
  v: Group,
}
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> cosines: array<vec4f>;
@group(0) @binding(3) var<storage, read> sines: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
fn x_at(i: u32) -> Group {
  return x[i];
}
fn cosines_at(i: u32) -> Group {
  return cosines[i];
}
fn sines_at(i: u32) -> Group {
  return sines[i];
}
fn store(i: u32, v: Group) {
  y[i] = v;
}
// Of two groups of neighbouring pairs: the first of each pair, and the second; and the other way round.
fn apart(a: Group, b: Group) -> Pair {
  return Pair(vec4f(a.xz, b.xz), vec4f(a.yw, b.yw));
}
fn together(a: Group, b: Group) -> Pair {
  return Pair(vec4f(a.x, b.x, a.y, b.y), vec4f(a.z, b.z, a.w, b.w));
}
//#end

struct Uniforms {
  count: u32,  // of groups that are turned or passed, in all bound rows
  stride: u32, // invocations in the dispatch, the step of the loop
  turned: u32, // groups of pairs in a row
  passed: u32, // groups of a row that pass
  first: u32,  // rows ahead of those that are bound
  sign: f32,   // of the sine: -1 turns back
  rank: u32,   // dimensions of the rows' shape, after merging
  ahead: u32,  // rows of the tables before those that are used
  shape: array<vec4u, 2>,
  strides: array<vec4u, 2>, // of the tables, in their rows
}
@group(0) @binding(0) var<uniform> u: Uniforms;

// The row of the tables for a row of x.
fn table_row(row: u32) -> u32 {
  var rest = row;
  var at = 0u;
  for (var d = u.rank; d > 0u; d--) {
    let extent = u.shape[(d - 1u) / 4u][(d - 1u) % 4u];
    let q = rest / extent;
    at += (rest - q * extent) * u.strides[(d - 1u) / 4u][(d - 1u) % 4u];
    rest = q;
  }
  return at;
}

@compute @workgroup_size(workgroup_size)
fn turn(@builtin(global_invocation_id) id: vec3u) {
  let units = u.turned + u.passed;
  for (var i = id.x; i < u.count; i += u.stride) {
    let row = i / units;
    let k = i - row * units;
    let base = row * (2u * u.turned + u.passed);
    if (k >= u.turned) {
      store(base + u.turned + k, x_at(base + u.turned + k));
      continue;
    }
    let table = (u.ahead + table_row(u.first + row)) * u.turned + k;
    let c = cosines_at(table);
    let s = sines_at(table) * u.sign;
    let at = base + select(k, 2u * k, interleaved);
    let other = base + select(u.turned + k, 2u * k + 1u, interleaved);
    var pair = Pair(x_at(at), x_at(other));
    if (interleaved) {
      pair = apart(pair.u, pair.v);
    }
    pair = Pair(pair.u * c - pair.v * s, pair.v * c + pair.u * s);
    if (interleaved) {
      pair = together(pair.u, pair.v);
    }
    store(at, pair.u);
    store(other, pair.v);
  }
}
