// Sorts positions by their row, those of one row in order: what is added up in that order gives the same bits on every run.
// A few are counted against each other (`rank`). More go by digits of 8 bits, the lowest first: each workgroup counts the
// digits of its block (`count`), one workgroup finds where each digit of each block goes (`scan`), and the blocks take their
// entries there, in order (`scatter`).

override workgroup_size = 256u;
const DIGITS = 256u;

struct Uniforms {
  count: u32,   // entries
  tiles: u32,   // of as many entries as a workgroup has invocations, in each block
  blocks: u32,
  shift: u32,   // bits below the digit
  rows: u32,    // a key of as many is of no row
  padding: u32, // the row that has no gradient
}
@group(0) @binding(0) var<uniform> u: Uniforms;
//#slot entries
// What is sorted: keys of indices with their positions, or entries that are sorted by lower digits.
@group(0) @binding(1) var<storage, read> indices: array<i32>;
fn key_of(i: u32) -> u32 {
  let key = bitcast<u32>(indices[i]);
  return select(key, u.rows, (key >= u.rows) | (key == u.padding));
}
fn entry_of(i: u32) -> vec2u {
  return vec2u(key_of(i), i);
}
//#end
@group(0) @binding(2) var<storage, read_write> sorted: array<vec2u>;
// Of each block: how many entries have a digit; then where the first of them goes.
@group(0) @binding(3) var<storage, read_write> histogram: array<u32>;

@compute @workgroup_size(workgroup_size)
fn rank(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= u.count) {
    return;
  }
  let entry = entry_of(i);
  var place = 0u;
  for (var j = 0u; j < u.count; j++) {
    place += u32(key_of(j) < entry.x + u32(j < i));
  }
  sorted[place] = entry;
}

var<workgroup> counts: array<atomic<u32>, DIGITS>;
var<workgroup> totals: array<u32, DIGITS>;
var<workgroup> digits: array<u32, workgroup_size>;

fn digit_of(key: u32) -> u32 {
  return (key >> u.shift) & (DIGITS - 1u);
}

@compute @workgroup_size(workgroup_size)
fn count(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let begin = group.x * u.tiles * workgroup_size + lane;
  for (var t = 0u; t < u.tiles; t++) {
    let i = begin + t * workgroup_size;
    if (i < u.count) {
      atomicAdd(&counts[digit_of(entry_of(i).x)], 1u);
    }
  }
  workgroupBarrier();
  for (var d = lane; d < DIGITS; d += workgroup_size) {
    histogram[group.x * DIGITS + d] = atomicLoad(&counts[d]);
  }
}

@compute @workgroup_size(workgroup_size)
fn scan(@builtin(local_invocation_index) lane: u32) {
  for (var d = lane; d < DIGITS; d += workgroup_size) {
    var total = 0u;
    for (var b = 0u; b < u.blocks; b++) {
      total += histogram[b * DIGITS + d];
    }
    totals[d] = total;
  }
  workgroupBarrier();
  for (var d = lane; d < DIGITS; d += workgroup_size) {
    var place = 0u;
    for (var e = 0u; e < d; e++) {
      place += totals[e];
    }
    for (var b = 0u; b < u.blocks; b++) {
      let here = histogram[b * DIGITS + d];
      histogram[b * DIGITS + d] = place;
      place += here;
    }
  }
}

@compute @workgroup_size(workgroup_size)
fn scatter(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var d = lane; d < DIGITS; d += workgroup_size) {
    totals[d] = histogram[group.x * DIGITS + d];
  }
  let begin = group.x * u.tiles * workgroup_size + lane;
  for (var t = 0u; t < u.tiles; t++) {
    let i = begin + t * workgroup_size;
    let there = i < u.count;
    let entry = entry_of(min(i, u.count - 1u));
    let digit = select(DIGITS, digit_of(entry.x), there);
    digits[lane] = digit;
    workgroupBarrier();
    var before = 0u;
    var all = 0u;
    for (var j = 0u; j < workgroup_size; j++) {
      let same = u32(digits[j] == digit);
      all += same;
      before += select(0u, same, j < lane);
    }
    if (there) {
      sorted[totals[digit] + before] = entry;
    }
    workgroupBarrier();
    // The last of the tile's entries with a digit says where the next one goes.
    if (there && before + 1u == all) {
      totals[digit] += all;
    }
  }
}
