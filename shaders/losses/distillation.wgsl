//#include "lib/bits.wgsl"
// p (log p - log q) times a factor, from p and both logarithms; 0 where p is 0, whatever q is. A p that is too small for float32 is
// not 0 where q is.
fn divergence(log_q: f32, log_p: f32, p: f32, factor: f32) -> f32 {
  // A factor above 1 comes last: before p it could take a large difference past float32.
  let d = (log_p - log_q) * min(factor, 1.0);
  let product = select((p * d) * max(factor, 1.0), d, is_inf(d));
  return select(product, 0.0, log_p < -745.0);
}

// Its derivative for log q, times the upstream gradient.
fn divergence_grad(p: f32, upstream: f32) -> f32 {
  return select(-(p * upstream), 0.0, p == 0.0);
}
