// The part of class-loss.wgsl for targets that are class indices.

struct Status {
  flag: atomic<u32>,
  op_code: u32,
  index: i32,
  classes: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

struct Label {
  index: u32,
  ignored: bool,
  valid: bool,
}

// A row's class index; one that is out of range is noted for the next read, and stands for class 0 in memory accesses.
fn label_of(row: u32) -> Label {
  let index = classes[row];
  let ignored = index == u.ignore_index;
  let valid = ignored || (index >= 0 && u32(index) < u.n);
  if (!valid && atomicMax(&status.flag, 1u) == 0u) {
    status.op_code = u.op_code;
    status.index = index;
    status.classes = u.n;
  }
  return Label(select(0u, u32(index), valid && !ignored), ignored, valid);
}

// What label smoothing spreads over the classes, but for its factor.
fn soft_block(base: u32, q: u32, step: u32) -> Block {
  return weight_block(q, step);
}

fn soft_last(base: u32, lane: Lane) -> Block {
  return weight_last(lane);
}

fn weight_of(row: u32) -> f32 {
  let label = label_of(row);
  return select(class_weight(label.index), 0.0, label.ignored);
}

// Loss and weight of a row.
fn loss_of(r: u32, base: u32, row: Row) -> vec2f {
  let label = label_of(r);
  let w = class_weight(label.index);
  var loss = w * class_loss(log_probability(base, label.index, row), u.op);
  if (soft) {
    loss = (1.0 - u.label_smoothing) * loss + u.label_smoothing / f32(u.n) * soft_loss(row);
  }
  return vec2f(select(select(nan(), loss, label.valid), 0.0, label.ignored), select(w, 0.0, label.ignored));
}

struct Grads {
  label: Label,
  of_exp: f32,   // times the exponential of an element: what it gets through the log-softmax
  of_soft: f32,  // times the weight of its class: what label smoothing adds
  at_label: f32, // the gradient at the label
}

fn grads_of(r: u32, base: u32, row: Row) -> Grads {
  let label = label_of(r);
  // A row out of range is NaN throughout.
  let scale = select(select(nan(), upstream_of(r), label.valid), 0.0, label.ignored);
  let w = class_weight(label.index);
  let l = log_probability(base, label.index, row);
  // q, the gradient with respect to l: chosen, not multiplied by 0, as the slope of a row that is ignored may be infinite.
  var own = scale * (w * class_loss_grad(l, u.op));
  var spread = 0.0;
  if (soft) {
    own *= 1.0 - u.label_smoothing;
    spread = -scale * (u.label_smoothing / f32(u.n));
  }
  own = select(own, 0.0, label.ignored);
  if (!normalised) {
    return Grads(label, select(nan(), 0.0, label.valid), 0.0, own);
  }
  // 1 - p as -expm1(l): what a confident prediction has left.
  var at_label = own * -nl_expm1(l);
  if (soft) {
    at_label += spread * (w - nl_exp(l) * row.soft.y);
    own += spread * row.soft.y;
  }
  return Grads(label, -(own / row.sums.sum), spread, at_label);
}

// Of one quad, for the exponentials e.
fn grad_of(e: vec4f, weights: vec4f, g: Grads) -> vec4f {
  if (!normalised) {
    return vec4f(g.of_exp);
  }
  if (soft) {
    return fma(e, vec4f(g.of_exp), weights * g.of_soft);
  }
  return e * g.of_exp;
}

fn write_full(base: u32, q: u32, x: vec4f, e: vec4f, g: Grads, row: Row) {
  var w = vec4f();
  if (soft) {
    w = weight_full(q);
  }
  store_grad_scores_full(base, q, grad_of(e, w, g));
}

fn write_last(base: u32, lane: Lane, x: Block, e: Block, g: Grads, row: Row) {
  var w: Block;
  if (soft) {
    w = weight_last(lane);
  }
  var v: Block;
  v.a = grad_of(e.a, w.a, g);
  if (block_quads > 1u) {
    v.b = grad_of(e.b, w.b, g);
  }
  if (block_quads > 2u) {
    v.c = grad_of(e.c, w.c, g);
  }
  if (block_quads > 3u) {
    v.d = grad_of(e.d, w.d, g);
  }
  store_grad_scores_last(base, lane, v);
}

// The label's quad once more, by the lane that wrote it.
fn write_rest(base: u32, lane: Lane, g: Grads, row: Row) {
  let q = g.label.index / 4u;
  let ahead = q - lane.first;
  let own = q >= lane.first && ahead % lane.step == 0u && ahead / lane.step < lane.count;
  if (!own || g.label.ignored || !g.label.valid) {
    return;
  }
  var e = vec4f();
  if (normalised) {
    e = anchored_exp(scores_tail(base, q), row.sums.anchor);
  }
  var w = vec4f();
  if (soft) {
    w = weight_tail(q);
  }
  var v = grad_of(e, w, g);
  v[g.label.index & 3u] = g.at_label;
  store_grad_scores_tail(base, q, v);
}
