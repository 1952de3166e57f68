//#include "lib/sum.wgsl"
// requires: nl_cursor, nl_next, nl_pack, u.count, u.op, u.packs, u.partial, u.per_group, u.per_lane, u.span, u.step
// requires: u.zero, workgroup_size
// Sums one result of a pointwise op per invocation into `partials`, which the reduce kernel sums further. The other results are
// stored as by `map`.
@group(0) @binding(15) var<storage, read_write> partials: array<vec2f>;

@compute @workgroup_size(workgroup_size)
fn accumulate(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let start = group.x * u.per_group + lane * u.per_lane;
  let end = min(start + u.span, u.packs);
  let step = u.step;
  let count = u.count;
  let p = u.op;
  var sum = vec2f();
  // The second pass sums in units of 2^32. It runs only if the plain sum is too large.
  for (var unit = 1.0; unit > 0.0;) {
    var total = vec2f();
    var cursor = nl_cursor(start);
    for (var i = start; i < end; i += step) {
      let left = count - 4u * i;
      let terms = nl_pack(i, cursor, p) * unit;
      let pack = select(vec4f(), terms, vec4u(0u, 1u, 2u, 3u) < vec4u(left));
      total = sum_add(total, (pack.x + pack.y) + (pack.z + pack.w), u.zero);
      cursor = nl_next(cursor);
    }
    let value = sum_value(total);
    let fits = abs(value) < SUM_MOST;
    sum = select(vec2f(0.0, value), vec2f(value, 0.0), unit == 1.0);
    unit = select(0.0, SUM_UNIT, unit == 1.0 && !fits);
  }
  partials[u.partial + group.x * workgroup_size + lane] = sum;
}
