//#include "losses/cross-entropy.wgsl"
//#include "losses/margin.wgsl"
// The cosine of the class, less a margin.
fn margin(c: f32, p: Params) -> f32 {
  return c - p.m;
}

fn margin_grad(c: f32, p: Params) -> f32 {
  return 1.0;
}
