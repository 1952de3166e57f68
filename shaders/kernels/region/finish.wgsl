//#include "lib/log.wgsl"
//#include "lib/log1p.wgsl"
//#include "lib/pow.wgsl"
// requires: Sums, added, losses, nl_divide, partials, slopes, u.alpha, u.beta, u.eps, u.gamma, u.log_loss, u.n, u.parts
// requires: u.smooth_by, u.splits, workgroup_size
// The entry point of region.wgsl that computes the loss of a class from its sums. Each class has one workgroup.

var<workgroup> lane_sums: array<Sums, workgroup_size>;

@compute @workgroup_size(workgroup_size)
fn finish(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let c = group.x + group.y * groups.x;
  var sums: Sums;
  let count = u.parts * u.splits;
  for (var i = lane; i < select(0u, count, c < u.n); i += workgroup_size) {
    let at = (c * count + i) * 2u;
    sums = added(sums, partials[at]);
    sums.low += partials[at + 1u];
  }
  lane_sums[lane] = sums;
  workgroupBarrier();
  if (lane == 0u && c < u.n) {
    for (var i = 1u; i < workgroup_size; i++) {
      sums = added(sums, lane_sums[i].high);
      sums.low += lane_sums[i].low;
    }
    // Where a sum has overflowed, the rest is NaN.
    conclude(c, select(sums.high, sums.high + sums.low, abs(sums.low) < vec4f(0x1p127f)));
  }
}

// The score is (tp + smooth) / size, size = tp + missed + smooth, missed = alpha fp + beta fn. 1 less the score is missed / size,
// of terms that do not cancel. Both derivatives are with respect to a p that is less than y, and more.
fn conclude(c: u32, sums: vec4f) {
  let missed = u.alpha * sums.y + u.beta * sums.z;
  let hit = sums.x + u.smooth_by;
  let clamped = hit + missed < u.eps;
  let size = select(hit + missed, u.eps, clamped);
  var loss = nl_divide(select(missed, u.eps - hit, clamped), size);
  var less = nl_divide(nl_divide(select(missed + u.beta * hit, size, clamped), -size), size);
  var more = nl_divide(nl_divide(select(u.alpha * hit, 0.0, clamped), size), size);
  if (u.log_loss != 0u) {
    let score = nl_divide(hit, size);
    let low = score < u.eps;
    let kept = select(score, u.eps, low);
    loss = select(-nl_log1p(-loss), -nl_log(kept), !(loss < 0.5));
    less = select(nl_divide(less, kept), 0.0, low);
    more = select(nl_divide(more, kept), 0.0, low);
  }
  if (u.gamma != 1.0) {
    // For gamma < 1 the derivative is infinite at 0, where nothing is left to improve: there it is 0.
    let factor = select(u.gamma * nl_pow(loss, u.gamma - 1.0), 0.0, loss == 0.0);
    loss = nl_pow(loss, u.gamma);
    less *= factor;
    more *= factor;
  }
  let absent = sums.w == 0.0;
  losses[c] = select(loss, 0.0, absent);
  slopes[c] = select(vec2f(less, more), vec2f(), absent);
}
