//#include "lib/class-label.wgsl"
// requires: Block, Gradients, Lane, Row, class_loss, class_loss_grad, class_weight, is_inf, is_nan, log_probability
// requires: nan, nl_exp, nl_expm1, normalised, soft, soft_loss, u.first_row, u.label_smoothing, u.n, u.op
// requires: weight_block, weight_full, weight_last, with_z, z_of
// The part of class-loss.wgsl for targets that are class indices.

// The factor s[c] of label smoothing for a class of weight w. Each term is multiplied by it, not the sum at the end,
// because a sum over many masked classes may exceed the largest float32 though the loss does not.
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

// The class of a row, with the weight w and log-probability l of that class.
struct Target {
  label: Label,
  w: f32,
  l: f32,
  // Half of l. It is finite even where l of finite scores is too large for a float32.
  half: f32,
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

// The loss and the weight of a row.
fn loss_of(t: Target, row: Row) -> vec2f {
  // The weight is multiplied by 1 - smoothing before the loss, which could overflow without this factor.
  var w = t.w;
  if (soft) {
    w *= 1.0 - u.label_smoothing;
  }
  var loss = w * class_loss(t.l, u.op);
  // Where l overflows although the scores are finite, the loss is computed from half of l and doubled. That is
  // correct because losses without a bound are proportional to l there. A bounded loss, such as 1 - e^l, is finite
  // and stays as it is.
  let overflows = is_inf(t.l) & !is_inf(t.half) & (is_inf(loss) | is_nan(loss));
  loss = select(loss, 2.0 * (w * class_loss(t.half, u.op)), overflows);
  if (soft) {
    // With label smoothing 1 the loss of the label does not count, so an infinite one must become 0, not 0 Inf = NaN.
    loss = select(loss, 0.0, u.label_smoothing == 1.0) + soft_loss(row);
  }
  if (with_z) {
    loss += z_of(row).x;
  }
  let label = t.label;
  return vec2f(select(select(nan(), loss, label.valid), 0.0, label.ignored), select(t.w, 0.0, label.ignored));
}

struct Grads {
  label: u32,    // the class index; past the last class if there is none
  // The factor of an element's exponential, for the gradient through the log-softmax.
  of_exp: f32,
  of_soft: f32,  // the factor of an element's s[c], for label smoothing
  at_label: f32, // the gradient at the label
}

fn grads_of(t: Target, upstream: f32, row: Row) -> Grads {
  let label = t.label;
  // A class index out of range makes all gradients of its row NaN.
  let scale = select(select(nan(), upstream, label.valid), 0.0, label.ignored);
  // `own` is q[y], the gradient with respect to l[y]. For an ignored row it is set to 0 by a select, not by a
  // multiplication, because the slope there may be infinite.
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
  // 1 - p is computed as -expm1(l), which is accurate even where p is almost 1.
  var at_label = own * -nl_expm1(t.l);
  if (soft) {
    at_label += spread * (smoothed(vec4f(t.w)).x - nl_exp(t.l) * row.soft.y);
    own += spread * row.soft.y;
  }
  if (with_z) {
    let z = select(scale * z_of(row).y, 0.0, label.ignored);
    own -= z;
    at_label += z * nl_exp(t.l);
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
