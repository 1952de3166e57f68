// requires: label_of, margin, margin_grad, scores_stored_at, u.first_row, u.op
// Scores that are cosines: all of them are multiplied by the option `s`, after the one of a row's class has gone through the
// op's margin. What the margin makes of it is computed once a row, ahead of the loads.

struct Marked {
  label: u32, // the class index; past the last class if there is none
  score: f32,
  slope: f32, // the derivative of that score
}
var<private> marked: Marked;

fn begin_row(r: u32, base: u32) {
  let label = label_of(u.first_row + r);
  let c = scores_stored_at(base, label.index);
  let at = select(0xffffffffu, label.index, label.valid & !label.ignored);
  marked = Marked(at, u.op.s * margin(c, u.op), u.op.s * margin_grad(c, u.op));
}

fn is_marked(q: u32) -> vec4<bool> {
  return vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u) == vec4u(marked.label);
}

fn marked_scores(v: vec4f, base: u32, q: u32) -> vec4f {
  return select(v * u.op.s, vec4f(marked.score), is_marked(q));
}

fn marked_score(v: f32, base: u32, i: u32) -> f32 {
  return select(v * u.op.s, marked.score, i == marked.label);
}

fn through_margin(v: vec4f, base: u32, q: u32) -> vec4f {
  return v * select(vec4f(u.op.s), vec4f(marked.slope), is_marked(q));
}

fn z_factor() -> f32 {
  return 0.0;
}
