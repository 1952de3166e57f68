//#include "lib/log.wgsl"
//#include "lib/threefry.wgsl"
// (x + G) / tau, with G = -ln(-ln(uniform)) of Gumbel's distribution.
fn forward(x: f32, index: u32, p: Params) -> f32 {
  let noise = -nl_log(-nl_log(open_uniform_at(vec2u(p.key0, p.key1), index)));
  return (x + noise) / p.tau;
}
