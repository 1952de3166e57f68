//#include "lib/div.wgsl"
//#include "lib/tanh.wgsl"
// requires: u.inverse, u.softcap
// Logits one by one: bent towards a bound by c tanh(z / c), then divided by a temperature; and their gradients.
const tempered = true;

fn temper(z: f32) -> f32 {
  var x = z;
  if (u.softcap > 0.0) {
    x = u.softcap * nl_tanh(nl_divide(z, u.softcap));
  }
  return x * u.inverse;
}

fn through_temper(g: f32, z: f32) -> f32 {
  var v = g * u.inverse;
  if (u.softcap > 0.0) {
    v *= nl_sech2(nl_divide(z, u.softcap));
  }
  return v;
}
