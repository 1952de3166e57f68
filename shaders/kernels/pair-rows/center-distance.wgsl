//#include "lib/div.wgsl"
// requires: Boxes
// The squared distance of the centres over the squared diagonal of the outer box, on one scale for both axes.
struct Apart {
  scale: vec2f, // from the scale of each axis to the common one
  d: vec2f,     // from centre to centre
  outer: vec2f,
  diagonal: f32,
  share: f32,
}

fn apart_of(o: Boxes) -> Apart {
  var p: Apart;
  let least = min(o.scale.x, o.scale.y);
  p.scale = vec2f(least) / o.scale;
  p.d = 0.5 * ((o.a.xy - o.b.xy) + (o.a.zw - o.b.zw)) * p.scale;
  p.outer = o.outer * p.scale;
  let eps = select(o.eps, 0.0, least < 1.0);
  p.diagonal = dot(p.outer, p.outer) + eps;
  p.share = nl_divide(dot(p.d, p.d), p.diagonal);
  return p;
}

fn apart_grad(o: Boxes, p: Apart) -> vec4f {
  return (p.d.xyxy - 2.0 * p.share * p.outer.xyxy * o.d_outer) / p.diagonal * p.scale.xyxy;
}
