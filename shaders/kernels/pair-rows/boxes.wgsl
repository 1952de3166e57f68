//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
// requires: Lane, boxes1, boxes2, penalty, penalty_grad, store_grad_boxes1, store_result, u.op, upstream_of, with_grad
// 1 - iou + a penalty, of two boxes (x1, y1, x2, y2) a row, where iou = i / (union + eps). Along an axis on which boxes are
// longer than 2^60, all is seen 2^70 times as small, so that no area overflows; eps shrinks with the areas.
struct Boxes {
  a: vec4f,
  b: vec4f,
  size1: vec2f, // sides of the first box,
  size2: vec2f, // of the second,
  outer: vec2f, // and of the smallest that holds both
  i: f32,       // areas of the intersection
  both: f32,    // and of the union
  iou: f32,
  eps: f32,
  scale: vec2f, // by which coordinates were multiplied
  d_i: vec4f,   // the derivatives of i by the first box,
  d_size1: vec4f, // of its area,
  d_outer: vec4f, // and, by x1, y1, x2, y2, of the side of the outer box that they move
}

// The derivative of the larger of two numbers by the first: a half where they are equal.
fn is_above(x: vec2f, y: vec2f) -> vec2f {
  return select(select(vec2f(), vec2f(1.0), x > y), vec2f(0.5), x == y);
}

fn boxes_of(first: vec4f, second: vec4f, eps: f32) -> Boxes {
  var o: Boxes;
  let reach = max(abs(first), abs(second));
  o.scale = select(vec2f(1.0), vec2f(0x1p-70f), max(reach.xy, reach.zw) > vec2f(0x1p60f));
  o.a = first * o.scale.xyxy;
  o.b = second * o.scale.xyxy;
  o.eps = (eps * o.scale.x) * o.scale.y;
  o.size1 = o.a.zw - o.a.xy;
  o.size2 = o.b.zw - o.b.xy;
  let sides = min(o.a.zw, o.b.zw) - max(o.a.xy, o.b.xy);
  o.outer = max(o.a.zw, o.b.zw) - min(o.a.xy, o.b.xy);
  let touch = all(sides > vec2f());
  o.i = select(0.0, sides.x * sides.y, touch);
  let area = o.size1.x * o.size1.y;
  o.both = (area + o.size2.x * o.size2.y) - o.i;
  let size = o.both + o.eps;
  o.iou = select(nl_divide(o.i, size), 0.0, size == 0.0);
  let moved = vec4f(-is_above(o.a.xy, o.b.xy), is_above(o.b.zw, o.a.zw));
  o.d_i = select(vec4f(), moved * sides.yxyx, touch);
  o.d_size1 = vec4f(-o.size1.yx, o.size1.yx);
  o.d_outer = vec4f(-is_above(o.b.xy, o.a.xy), is_above(o.a.zw, o.b.zw));
  return o;
}

fn compare(r: u32, base: u32, lane: Lane, local: u32) {
  if (lane.first != 0u) {
    return;
  }
  let first = boxes1[base];
  let o = boxes_of(first, boxes2[base], u.op.eps);
  // Terms of NaN may have been left out of a maximum.
  let sum = first + boxes2[base];
  let bad = is_nan(sum.x) | is_nan(sum.y) | is_nan(sum.z) | is_nan(sum.w);
  store_result(r, select((1.0 - o.iou) + penalty(o), nan(), bad));
  if (!with_grad) {
    return;
  }
  let size = o.both + o.eps;
  let g = (o.iou * o.d_size1 - (1.0 + o.iou) * o.d_i) / select(size, 1.0, size == 0.0) + penalty_grad(o);
  store_grad_boxes1(base, select(g * o.scale.xyxy * upstream_of(r), vec4f(nan()), bad));
}
