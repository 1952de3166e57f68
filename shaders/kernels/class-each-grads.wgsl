// The part of class-each.wgsl for calls with gradients.
fn write_grads(r: u32, base: u32, aim: Target, row: Row) {
  let g = grads_of(aim, upstream_of(r), row);
  for (var i = 0u; i < u.n; i++) {
    let v = g.of_exp * anchored_exp(vec4f(logit_at(base, i)), row.sums.anchor).x;
    store_grad(base + i * u.inner, select(v, g.at_label, i == g.label));
  }
}
