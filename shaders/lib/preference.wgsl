//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/log.wgsl"
//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// The loss of a preference whose logit is z, where a share l of the labels is taken for wrong:
// -(1 - l) ln sigmoid(z) - l ln sigmoid(-z). With q = ln(1 + e^-|z|) it is q + l z for z >= 0 and q - (1 - l) z for z < 0,
// in which no terms cancel. At most 3 ULP.
fn nl_preference(z: f32, l: f32) -> f32 {
  return nl_softplus(-abs(z)) + select(select(l * z, 0.0, l == 0.0), (l - 1.0) * z, z < 0.0);
}

// g times its derivative, l sigmoid(z) - (1 - l) sigmoid(-z).
fn nl_preference_grad(g: f32, z: f32, l: f32) -> f32 {
  return nl_sigmoid_times(l * g, z, 0.0) - nl_sigmoid_times((1.0 - l) * g, -z, 0.0);
}
