//#include "lib/bits.wgsl"
// share (log p - log q) times a factor, where share is p; 0 where that is 0, whatever q is. A p that is too small for float32 is not 0
// where q is.
fn term(log_q: f32, log_p: f32, share: f32, p: Params) -> f32 {
  // A factor above 1 comes last: before p it could take a large difference past float32.
  let d = (log_p - log_q) * min(p.factor, 1.0);
  let product = select((share * d) * max(p.factor, 1.0), d, is_inf(d));
  return select(product, 0.0, log_p < -745.0);
}

fn term_grad(log_q: f32, log_p: f32, share: f32, grad_output: f32, p: Params) -> f32 {
  return select(-(share * (grad_output * p.factor)), 0.0, share == 0.0);
}
