// requires: element_of, join, nothing, place_of, sums, totals, u.n, u.tiles, workgroup_size
// Sums up to each position, in blocks: `total` adds up each, `scan` all positions of a block behind the blocks before it.
var<workgroup> parts: array<vec2f, workgroup_size>;

@compute @workgroup_size(workgroup_size)
fn total(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var own = nothing;
  let begin = group.x * u.tiles * workgroup_size + lane;
  for (var t = 0u; t < u.tiles; t++) {
    let k = begin + t * workgroup_size;
    if (k < u.n) {
      own = join(own, element_of(place_of(k)));
    }
  }
  parts[lane] = own;
  workgroupBarrier();
  for (var step = workgroup_size / 2u; step > 0u; step /= 2u) {
    if (lane < step) {
      parts[lane] = join(parts[lane], parts[lane + step]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    totals[group.x] = parts[0];
  }
}

@compute @workgroup_size(workgroup_size)
fn scan(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var before = nothing;
  for (var b = 0u; b < group.x; b++) {
    before = join(before, totals[b]);
  }
  for (var t = 0u; t < u.tiles; t++) {
    let k = (group.x * u.tiles + t) * workgroup_size + lane;
    parts[lane] = nothing;
    if (k < u.n) {
      parts[lane] = element_of(place_of(k));
    }
    workgroupBarrier();
    for (var step = 1u; step < workgroup_size; step *= 2u) {
      let far = parts[select(0u, lane - step, lane >= step)];
      let near = parts[lane];
      workgroupBarrier();
      if (lane >= step) {
        parts[lane] = join(far, near);
      }
      workgroupBarrier();
    }
    if (k < u.n) {
      sums[place_of(k)] = join(before, parts[lane]);
    }
    before = join(before, parts[workgroup_size - 1u]);
    workgroupBarrier();
  }
}
