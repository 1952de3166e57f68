//#include "kernels/pair-rows/boxes.wgsl"
//#include "kernels/pair-rows/center-distance.wgsl"
fn penalty(o: Boxes) -> f32 {
  return apart_of(o).share;
}

fn penalty_grad(o: Boxes) -> vec4f {
  return apart_grad(o, apart_of(o));
}
