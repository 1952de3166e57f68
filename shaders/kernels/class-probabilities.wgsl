// The part of class-loss.wgsl for targets that are a row of class probabilities.

// What a class counts in the loss: its weight times its probability, smoothed.
fn soft_of(w: vec4f, t: vec4f) -> vec4f {
  return w * fma(vec4f(1.0 - u.label_smoothing), t, vec4f(u.label_smoothing / f32(u.n)));
}

fn soft_block(base: u32, q: u32, step: u32) -> Block {
  let w = weight_block(q, step);
  let t = probabilities_block(base, q, step);
  return Block(soft_of(w.a, t.a), soft_of(w.b, t.b), soft_of(w.c, t.c), soft_of(w.d, t.d));
}

// The weights of what is not there are 0.
fn soft_last(base: u32, lane: Lane) -> Block {
  let w = weight_last(lane);
  let t = probabilities_last(base, lane);
  return Block(soft_of(w.a, t.a), soft_of(w.b, t.b), soft_of(w.c, t.c), soft_of(w.d, t.d));
}

// Only a mean over class indices needs it.
fn weight_of(row: u32) -> f32 {
  return 1.0;
}

fn loss_of(r: u32, base: u32, row: Row) -> vec2f {
  return vec2f(soft_loss(row), 1.0);
}

struct Grads {
  upstream: f32,
  of_exp: f32, // times the exponential of an element: what it gets through the log-softmax
}

fn grads_of(r: u32, base: u32, row: Row) -> Grads {
  let upstream = upstream_of(r);
  return Grads(upstream, upstream * (row.soft.y / row.sums.sum));
}

fn write_full(base: u32, q: u32, x: vec4f, e: vec4f, g: Grads, row: Row) {
  let w = weight_full(q);
  store_grad_scores_full(base, q, e * g.of_exp - g.upstream * soft_of(w, probabilities_full(base, q)));
  store_grad_probabilities_full(base, q, probability_grad(x, w, g, row));
}

// -(1 - smoothing) w l.
fn probability_grad(x: vec4f, w: vec4f, g: Grads, row: Row) -> vec4f {
  return g.upstream * ((1.0 - u.label_smoothing) * w * (row.log_sum + (row.sums.peak - x)));
}

fn write_last(base: u32, lane: Lane, x: Block, e: Block, g: Grads, row: Row) {
  let s = soft_last(base, lane);
  store_grad_scores_last(base, lane, Block(
    e.a * g.of_exp - g.upstream * s.a,
    e.b * g.of_exp - g.upstream * s.b,
    e.c * g.of_exp - g.upstream * s.c,
    e.d * g.of_exp - g.upstream * s.d,
  ));
  let w = weight_last(lane);
  store_grad_probabilities_last(base, lane, Block(
    probability_grad(x.a, w.a, g, row),
    probability_grad(x.b, w.b, g, row),
    probability_grad(x.c, w.c, g, row),
    probability_grad(x.d, w.d, g, row),
  ));
}

fn write_rest(base: u32, lane: Lane, g: Grads, row: Row) {}
