//#include "lib/log.wgsl"
//#include "lib/threefry.wgsl"
// (x + G) / tau, with G = -ln(-ln(uniform)) of Gumbel's distribution. A finite x gives a finite result: a row of finite
// masks would be a row of -Inf otherwise, whose softmax is NaN.
fn forward(x: f32, index: u32, p: Params) -> f32 {
  let noise = -nl_log(-nl_log(open_uniform_at(vec2u(p.key0, p.key1), index)));
  let most = 0x1.fffffep+127f;
  let v = (x + noise) / p.tau;
  return select(v, clamp(v, -most, most), abs(x) <= most);
}
