//#include "lib/exp.wgsl"
// The part of class-loss.wgsl for targets that are a row of class probabilities.

@compute @workgroup_size(workgroup_size)
fn rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = row_of(workgroup, workgroups, local);
  if (r >= u.rows) {
    return;
  }
  let lane = lane_of(local);
  let base = base_of(r);
  let row = log_softmax_of(base, lane, local);
  let keep = 1.0 - u.label_smoothing;
  let each = u.label_smoothing / f32(u.n);
  // The loss, and the sum of q, the gradient with respect to l.
  var total = vec2f();
  var i = lane.first;
  while (i < u.n) {
    var block = vec2f();
    for (var k = 0u; k < 32u && i < u.n; k++) {
      let l = log_probability(base, i, row);
      let t = class_weight(i) * fma(keep, probabilities[base + i * u.inner], each);
      block += t * vec2f(class_loss(l, u.op), class_loss_grad(l, u.op));
      i += lane.step;
    }
    total += block;
  }
  total = vec2f(combine_sum(total.x, local), combine_sum(total.y, local));
  if (lane.first == 0u) {
    store_loss(r, total.x);
  }
  if (!with_grad) {
    return;
  }
  let upstream = upstream_of(r);
  for (i = lane.first; i < u.n; i += lane.step) {
    let at = base + i * u.inner;
    let l = log_probability(base, i, row);
    let w = class_weight(i);
    let t = w * fma(keep, probabilities[at], each);
    store_grad(at, upstream * (t * class_loss_grad(l, u.op) - nl_exp(l) * total.y));
    store_grad_probability(at, upstream * (keep * w * class_loss(l, u.op)));
  }
}
