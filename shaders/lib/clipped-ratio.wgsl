//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// The clipped loss of a policy: -min(r a, clip(r, floor, ceiling) a) with r = e^l and an advantage a. `low` and `high` are
// the logarithms of the limits: l is compared with them, so that r may overflow. A clipped ratio is finite.
struct Clip {
  low: f32,
  high: f32,
  floor: f32,
  ceiling: f32,
}

fn nl_is_clipped(l: f32, a: f32, c: Clip) -> bool {
  return select(l > c.high, l < c.low, a < 0.0);
}

// -a g e^l. A large ratio is applied in two steps, the first before the upstream gradient g, because the product may be finite
// where it is not. An infinite advantage times a ratio that is 0 in float64 too is NaN.
fn nl_ratio_times(a: f32, g: f32, l: f32) -> f32 {
  let large = l > 60.0;
  let f = (-a * select(1.0, 2.35385267e17f, large)) * g;
  return select(nl_exp_times(f, l - select(0.0, 40.0, large), 0.0), nan(), is_inf(a) & (l < -745.2f));
}

fn nl_clipped_ratio(l: f32, a: f32, c: Clip) -> f32 {
  let limit = -a * select(c.ceiling, c.floor, a < 0.0);
  return select(nl_ratio_times(a, 1.0, l), limit, nl_is_clipped(l, a, c));
}

// Its derivative by l, times g: -r a, or 0 where the ratio is clipped.
fn nl_clipped_ratio_grad(g: f32, l: f32, a: f32, c: Clip) -> f32 {
  return select(nl_ratio_times(a, g, l), 0.0, nl_is_clipped(l, a, c));
}
