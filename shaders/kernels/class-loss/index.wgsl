//#include "lib/class-label.wgsl"
// requires: Block, Gradients, Lane, Row, class_loss, class_loss_grad, class_weight, is_inf, is_nan, log_probability
// requires: nan, nl_exp, nl_expm1, normalised, soft, soft_loss, u.first_row, u.label_smoothing, u.n, u.op
// requires: weight_block, weight_full, weight_last
// The part of class-loss.wgsl for targets that are class indices.

// What a class of weight w counts in the loss by label smoothing. The factor is in every term, not taken out of the sum:
// a sum over many masked classes may be above the largest float32 where the loss is not.
fn smoothed(w: vec4f) -> vec4f {
  return w * (u.label_smoothing / f32(u.n));
}

fn smoothed_all(w: Block) -> Block {
  return Block(smoothed(w.a), smoothed(w.b), smoothed(w.c), smoothed(w.d));
}

fn soft_block(base: u32, q: u32, step: u32) -> Block {
  return smoothed_all(weight_block(q, step));
}

fn soft_full(base: u32, q: u32) -> vec4f {
  return smoothed(weight_full(q));
}

fn soft_last(base: u32, lane: Lane) -> Block {
  return smoothed_all(weight_last(lane));
}

fn weight_of(row: u32) -> f32 {
  let label = label_of(u.first_row + row);
  return select(class_weight(label.index), 0.0, label.ignored);
}

// The class of a row, with its weight and log-probability.
struct Target {
  label: Label,
  w: f32,
  l: f32,
  half: f32, // half of l: finite where l of finite scores is too large for a float32
}

fn target_of(r: u32, base: u32, row: Row) -> Target {
  let label = label_of(u.first_row + r);
  return Target(
    label,
    class_weight(label.index),
    log_probability(base, label.index, row, 1.0),
    log_probability(base, label.index, row, 0.5),
  );
}

// Loss and weight of a row.
fn loss_of(t: Target, row: Row) -> vec2f {
  // The factor of label smoothing before the loss, which may be too large without it.
  var w = t.w;
  if (soft) {
    w *= 1.0 - u.label_smoothing;
  }
  var loss = w * class_loss(t.l, u.op);
  // Where l overflows: losses without a bound are proportional to l there, and one with a bound, such as 1 - e^l, is finite.
  let overflows = is_inf(t.l) & !is_inf(t.half) & (is_inf(loss) | is_nan(loss));
  loss = select(loss, 2.0 * (w * class_loss(t.half, u.op)), overflows);
  if (soft) {
    // Of a loss that is infinite nothing is kept where all is spread, not NaN.
    loss = select(loss, 0.0, u.label_smoothing == 1.0) + soft_loss(row);
  }
  let label = t.label;
  return vec2f(select(select(nan(), loss, label.valid), 0.0, label.ignored), select(t.w, 0.0, label.ignored));
}

struct Grads {
  label: u32,    // none, if past the last class
  of_exp: f32,   // times the exponential of an element: what it gets through the log-softmax
  of_soft: f32,  // times what its class counts by label smoothing
  at_label: f32, // the gradient at the label
}

fn grads_of(t: Target, upstream: f32, row: Row) -> Grads {
  let label = t.label;
  // A row out of range is NaN throughout.
  let scale = select(select(nan(), upstream, label.valid), 0.0, label.ignored);
  // q, the gradient with respect to l: chosen, not multiplied by 0, as the slope of a row that is ignored may be infinite.
  var own = scale * (t.w * class_loss_grad(t.l, u.op));
  var spread = 0.0;
  if (soft) {
    own *= 1.0 - u.label_smoothing;
    spread = -scale;
  }
  own = select(own, 0.0, label.ignored);
  let at = select(0xffffffffu, label.index, label.valid & !label.ignored);
  if (!normalised) {
    return Grads(at, select(nan(), 0.0, label.valid), 0.0, own);
  }
  // 1 - p as -expm1(l): what a confident prediction has left.
  var at_label = own * -nl_expm1(t.l);
  if (soft) {
    at_label += spread * (smoothed(vec4f(t.w)).x - nl_exp(t.l) * row.soft.y);
    own += spread * row.soft.y;
  }
  return Grads(at, -(own / row.sums.sum), spread, at_label);
}

fn grads_at(q: u32, x: vec4f, e: vec4f, s: vec4f, g: Grads, row: Row) -> Gradients {
  var v = vec4f(g.of_exp);
  if (normalised) {
    v = e * g.of_exp;
  }
  if (soft) {
    v += s * g.of_soft;
  }
  let own = vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u) == vec4u(g.label);
  return Gradients(select(v, vec4f(g.at_label), own), vec4f());
}
