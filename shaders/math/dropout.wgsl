//#include "lib/threefry.wgsl"
// x * scale if the element is kept, else 0. The gradient is the same function, applied to the upstream gradient.
fn forward(x: f32, index: u32, p: Params) -> f32 {
  let kept = uniform_at(vec2u(p.key0, p.key1), index) >= p.p;
  return select(0.0, x * p.scale, kept);
}
