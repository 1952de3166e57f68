// requires: Block, Gradients, Lane, Row, probabilities_block, probabilities_full, probabilities_last, soft_loss
// requires: u.label_smoothing, u.n, weight_block, weight_full, weight_last, weight_tail, with_grad_probabilities, with_z, z_of
// The part of class-loss.wgsl for targets that are rows of class probabilities.

// The factor s[c] of a class in the loss: its weight times its smoothed probability.
fn soft_of(w: vec4f, t: vec4f) -> vec4f {
  return w * fma(vec4f(1.0 - u.label_smoothing), t, vec4f(u.label_smoothing / f32(u.n)));
}

fn soft_block(base: u32, q: u32, step: u32) -> Block {
  let w = weight_block(q, step);
  let t = probabilities_block(base, q, step);
  return Block(soft_of(w.a, t.a), soft_of(w.b, t.b), soft_of(w.c, t.c), soft_of(w.d, t.d));
}

fn soft_full(base: u32, q: u32) -> vec4f {
  return soft_of(weight_full(q), probabilities_full(base, q));
}

// Elements past the end of the row have weight 0, so they add nothing.
fn soft_last(base: u32, lane: Lane) -> Block {
  let w = weight_last(lane);
  let t = probabilities_last(base, lane);
  return Block(soft_of(w.a, t.a), soft_of(w.b, t.b), soft_of(w.c, t.c), soft_of(w.d, t.d));
}

// Only a mean over class indices uses the weight of a row.
fn weight_of(row: u32) -> f32 {
  return 1.0;
}

// The sums of the row contain the class probabilities, so nothing else is needed of the target.
struct Target { unused: f32 }

fn target_of(r: u32, base: u32, row: Row) -> Target {
  return Target();
}

fn loss_of(t: Target, row: Row) -> vec2f {
  if (with_z) {
    return vec2f(soft_loss(row) + z_of(row).x, 1.0);
  }
  return vec2f(soft_loss(row), 1.0);
}

struct Grads {
  upstream: f32,
  // The factor of an element's exponential, for the gradient through the log-softmax.
  of_exp: f32,
}

fn grads_of(t: Target, upstream: f32, row: Row) -> Grads {
  if (with_z) {
    return Grads(upstream, upstream * ((row.soft.y + z_of(row).y) / row.sums.sum));
  }
  return Grads(upstream, upstream * (row.soft.y / row.sums.sum));
}

fn grads_at(q: u32, x: vec4f, e: vec4f, s: vec4f, g: Grads, row: Row) -> Gradients {
  let scores = e * g.of_exp - g.upstream * s;
  if (!with_grad_probabilities) {
    return Gradients(scores, vec4f());
  }
  // The gradient with respect to the class probabilities is -(1 - smoothing) w l.
  let l = row.log_sum + (row.sums.max - x);
  // The factors are multiplied first: w times l alone may overflow though the gradient does not.
  return Gradients(scores, (g.upstream * ((1.0 - u.label_smoothing) * weight_tail(q))) * l);
}
