//#include "lib/bits.wgsl"
//#include "lib/softplus.wgsl"
// nl_bce(x, t, w) = (1 - t) x + (1 + (w - 1) t) ln(1 + e^-x), the loss of a logit x against t, positive targets weighted
// by w. With q = ln(1 + e^-|x|) it is (1 - t) x + (1 + (w - 1) t) q for x >= 0 and -w t x + (1 + (w - 1) t) q below: no
// term cancels for t in [0, 1], and both tails keep relative accuracy. As in PyTorch, -Inf gives NaN.
fn nl_bce(x: f32, t: f32, w: f32) -> f32 {
  let q = nl_softplus(-abs(x));
  let line = select((1.0 - t) * x, -w * t * x, x < 0.0);
  return select(fma(nl_bce_share(t, w), q, line), nan(), x < -0x1.fffffep+127f);
}

// 1 + (w - 1) t; 1 for w = 1 whatever t is.
fn nl_bce_share(t: f32, w: f32) -> f32 {
  return select(fma(w - 1.0, t, 1.0), 1.0, w == 1.0);
}
