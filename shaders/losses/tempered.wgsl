//#include "lib/div.wgsl"
//#include "lib/tanh.wgsl"
// requires: scores_raw, u.op
// Logits before the softmax: bent towards a bound by c tanh(x / c), then divided by a temperature; and the factor of gradients.

fn bend(x: f32) -> f32 {
  return u.op.softcap * nl_tanh(nl_divide(x, u.op.softcap));
}

fn tempered(v: vec4f, base: u32, q: u32) -> vec4f {
  var x = v;
  if (u.op.softcap > 0.0) {
    x = vec4f(bend(v.x), bend(v.y), bend(v.z), bend(v.w));
  }
  return x * u.op.inverse;
}

fn slope(x: f32) -> f32 {
  return nl_sech2(nl_divide(x, u.op.softcap));
}

fn through_temper(v: vec4f, base: u32, q: u32) -> vec4f {
  var g = v * u.op.inverse;
  if (u.op.softcap > 0.0) {
    let x = scores_raw(base, q);
    g *= vec4f(slope(x.x), slope(x.y), slope(x.z), slope(x.w));
  }
  return g;
}

fn z_factor() -> f32 {
  return u.op.z_loss;
}
