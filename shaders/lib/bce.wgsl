//#include "lib/bits.wgsl"
//#include "lib/softplus.wgsl"
// nl_bce(x, t, w) = (1 - t) x + (1 + (w - 1) t) ln(1 + e^-x): binary cross-entropy of a logit x and a target t, where w is
// the weight of positive targets. With q = ln(1 + e^-|x|) it is (1 - t) x + (1 + (w - 1) t) q for x >= 0, and
// -w t x + (1 + (w - 1) t) q for x < 0. In these forms no terms cancel for t in [0, 1], and small results for large |x|
// are accurate too. As in PyTorch, x = -Inf gives NaN.
fn nl_bce(x: f32, t: f32, w: f32) -> f32 {
  let q = nl_softplus(-abs(x));
  let line = select((1.0 - t) * x, -w * (t * x), x < 0.0);
  return select(fma(nl_bce_share(t, w), q, line), nan(), x < -0x1.fffffep+127f);
}

// 1 + (w - 1) t. For w = 1 it is 1 even if t is NaN or infinite.
fn nl_bce_share(t: f32, w: f32) -> f32 {
  return select(fma(w - 1.0, t, 1.0), 1.0, w == 1.0);
}
