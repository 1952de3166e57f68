// p (log p - log q) times a factor, from p and both logarithms; 0 where p is 0, whatever q is.
fn divergence(log_q: f32, log_p: f32, p: f32, factor: f32) -> f32 {
  // A factor above 1 comes last: before p it could take a large difference past float32.
  let d = (log_p - log_q) * min(factor, 1.0);
  return select((p * d) * max(factor, 1.0), 0.0, p == 0.0);
}

// Its derivative for log q, times the upstream gradient.
fn divergence_grad(p: f32, upstream: f32) -> f32 {
  return select(-(p * upstream), 0.0, p == 0.0);
}
