//#include "lib/exp.wgsl"
// p (log p - log q) times a factor, from logarithms; 0 where p is 0, whatever q is.
fn divergence(log_q: f32, log_p: f32, factor: f32) -> f32 {
  let d = (log_p - log_q) * factor;
  return select(nl_exp_times(d, log_p, 0.0), 0.0, log_p < -745.0);
}

// Its derivative for log q, times the upstream gradient.
fn divergence_grad(log_p: f32, upstream: f32) -> f32 {
  return select(-nl_exp_times(upstream, log_p, 0.0), 0.0, log_p < -745.0);
}
