//#include "lib/sqrt.wgsl"
// requires: Operands, Terms
// (x - mean) / sqrt(variance + eps) weight + bias.
const centred = true;

fn term(d: vec4f) -> vec4f {
  return d * d;
}

fn factor_of(mean: f32, shift: f32, scale: f32, eps: f32) -> f32 {
  return nl_reciprocal(nl_sqrt((mean - shift * shift) + eps * scale * scale));
}

fn forward(z: vec4f, o: Operands) -> vec4f {
  return z * o.weight + o.bias;
}

// g weight - (mean of g weight) - z (mean of g weight z), over the row.
fn backward_terms(z: vec4f, g: vec4f, o: Operands) -> Terms {
  let slope = g * o.weight;
  return Terms(slope, slope * z);
}

fn backward(z: vec4f, g: vec4f, o: Operands, means: vec2f) -> vec4f {
  return (g * o.weight - means.x) - z * means.y;
}

fn operand_terms(z: vec4f, g: vec4f) -> Operands {
  return Operands(g * z, g);
}
