//#include "lib/sum.wgsl"
// Sums of the rows of gradients that have one key, from entries in the order of their keys. An invocation adds up four columns
// of a block of entries. Keys that a block has to itself are written; of one that begins before the block, or goes on after it,
// the block leaves its part: two entries a block, which are summed in the same way by the next launch. So no run of equal keys
// is one invocation's, and the order of additions depends on nothing but the keys.

override workgroup_size = 64u;
// Whether sums are added to what is there.
override adds = false;
const BLOCK = 32u;

struct Uniforms {
  count: u32,  // entries
  blocks: u32,
  quads: u32,  // of a row
  width: u32,  // elements of a row
  rows: u32,   // a key of as many is of no row
  first: u32,  // the first row that is bound
  height: u32, // bound rows
  zero: u32,   // 0 at run time, see lib/sum.wgsl
}
@group(0) @binding(0) var<uniform> u: Uniforms;

//#slot entries
// The key and the row of gradients of each entry.
@group(0) @binding(1) var<storage, read> sorted: array<vec2u>;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
fn key_at(i: u32) -> u32 {
  return sorted[i].x;
}
fn value_at(i: u32, q: u32) -> vec4f {
  return values[sorted[i].y * u.quads + q];
}
//#end
//#slot result
// The sums of the bound rows.
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
fn load(row: u32, q: u32) -> vec4f {
  return y[row * u.quads + q];
}
fn store(row: u32, q: u32, v: vec4f) {
  y[row * u.quads + q] = v;
}
//#end
//#slot share default
// What a row of the table receives of an entry's gradients.
fn share_of(key: u32, v: vec4f) -> vec4f {
  return v;
}
//#end
//#slot partials
// What blocks leave to the next launch.
@group(0) @binding(4) var<storage, read_write> keys_left: array<u32>;
@group(0) @binding(5) var<storage, read_write> sums_left: array<vec4f>;
fn leave(i: u32, q: u32, key: u32, v: vec4f) {
  if (q == 0u) {
    keys_left[i] = key;
  }
  sums_left[i * u.quads + q] = v;
}
//#end

fn hidden(x: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(x) ^ vec4u(u.zero));
}

// `sum_value` of four sums.
fn value_of(high: vec4f, low: vec4f) -> vec4f {
  return vec4f(
    sum_value(vec2f(high.x, low.x)),
    sum_value(vec2f(high.y, low.y)),
    sum_value(vec2f(high.z, low.z)),
    sum_value(vec2f(high.w, low.w)),
  );
}

fn write(key: u32, q: u32, v: vec4f) {
  let row = key - u.first;
  if (row < u.height) {
    if (adds) {
      store(row, q, load(row, q) + v);
    } else {
      store(row, q, v);
    }
  }
}

@compute @workgroup_size(workgroup_size)
fn sum_runs(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * groups.x) * workgroup_size + lane;
  if (at >= u.blocks * u.quads) {
    return;
  }
  let block = at / u.quads;
  let q = at - block * u.quads;
  let begin = block * BLOCK;
  let end = min(begin + BLOCK, u.count);
  var key = key_at(begin);
  // Whether the key begins before the block.
  var open = (begin > 0u) & (key_at(max(begin, 1u) - 1u) == key);
  var high = vec4f();
  var low = vec4f();
  var head_key = u.rows;
  var head = vec4f();
  for (var i = begin; i < end; i++) {
    let next = key_at(i);
    if (next != key) {
      let total = value_of(high, low);
      if (open) {
        head_key = key;
        head = total;
      } else {
        write(key, q, total);
      }
      key = next;
      open = false;
      high = vec4f();
      low = vec4f();
    }
    if (key < u.rows) {
      let x = share_of(key, value_at(i, q));
      let sum = hidden(high + x);
      low += x - hidden(sum - high);
      high = sum;
    }
  }
  let goes_on = (end < u.count) & (key_at(min(end, u.count - 1u)) == key);
  let total = value_of(high, low);
  if (open) {
    head_key = key;
    head = total;
  } else if (!goes_on) {
    write(key, q, total);
  }
  // A key that goes on has entries side by side, of which one may be 0.
  leave(2u * block, q, head_key, head);
  leave(2u * block + 1u, q, select(u.rows, key, goes_on), select(vec4f(), total, goes_on & !open));
}

@compute @workgroup_size(workgroup_size)
fn clear(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * groups.x) * workgroup_size + lane;
  let row = at / u.quads;
  if (row < u.height) {
    store(row, at - row * u.quads, vec4f());
  }
}

// Sums that are in float32 until all are there: each is rounded once.
@compute @workgroup_size(workgroup_size)
fn narrow(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * groups.x) * workgroup_size + lane;
  let row = at / u.quads;
  if (row < u.height) {
    store(row, at - row * u.quads, value_at(row, at - row * u.quads));
  }
}
