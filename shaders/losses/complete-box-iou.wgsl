//#include "lib/atan.wgsl"
//#include "kernels/pair-rows/boxes.wgsl"
//#include "kernels/pair-rows/center-distance.wgsl"
// requires: u.op
// The distance of the centres, and alpha v, where v is the squared difference of the boxes' angles over (pi / 2)^2. The
// gradient does not go through alpha.
fn angle_of(size: vec2f, scale: vec2f) -> f32 {
  return nl_atan(nl_divide(size.x * scale.x, size.y * scale.y));
}

struct Aspect {
  angle: f32, // what the second box has more
  alpha: f32,
  v: f32,
  size: vec2f, // the first box on the common scale
  scale: vec2f,
}

fn aspect_of(o: Boxes) -> Aspect {
  var s: Aspect;
  s.scale = vec2f(min(o.scale.x, o.scale.y)) / o.scale;
  s.size = o.size1 * s.scale;
  s.angle = angle_of(o.size2, s.scale) - angle_of(o.size1, s.scale);
  s.v = 0.405284735f * (s.angle * s.angle);
  s.alpha = nl_divide(s.v, ((1.0 - o.iou) + s.v) + u.op.eps);
  return s;
}

fn penalty(o: Boxes) -> f32 {
  let s = aspect_of(o);
  return apart_of(o).share + s.alpha * s.v;
}

fn penalty_grad(o: Boxes) -> vec4f {
  let s = aspect_of(o);
  // By the angle of the first box, and by its sides.
  let slope = s.alpha * -0.810569469f * s.angle;
  let by_size = slope * vec2f(s.size.y, -s.size.x) / dot(s.size, s.size) * s.scale;
  return apart_grad(o, apart_of(o)) + vec4f(-by_size, by_size);
}
