//#include "kernels/pair-rows/boxes.wgsl"
// (c - union) / (c + eps), where c is the area of the outer box.
fn penalty(o: Boxes) -> f32 {
  let c = o.outer.x * o.outer.y;
  return nl_divide(c - o.both, c + o.eps);
}

fn penalty_grad(o: Boxes) -> vec4f {
  let c = o.outer.x * o.outer.y;
  let d_c = o.d_outer * o.outer.yxyx;
  return (d_c * (1.0 - penalty(o)) - (o.d_size1 - o.d_i)) / (c + o.eps);
}
