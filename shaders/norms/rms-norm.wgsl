//#include "lib/sqrt.wgsl"
// requires: Operands, Terms
// x / sqrt(mean of x^2 + eps) weight.
const centred = false;

fn term(d: vec4f) -> vec4f {
  return d * d;
}

fn factor_of(mean: f32, shift: f32, scale: f32, eps: f32) -> f32 {
  return nl_reciprocal(nl_sqrt(mean + eps * scale * scale));
}

fn forward(z: vec4f, o: Operands) -> vec4f {
  return z * o.weight;
}

// g weight - z (mean of g weight z over the row).
fn backward_terms(z: vec4f, g: vec4f, o: Operands) -> Terms {
  return Terms(vec4f(), g * o.weight * z);
}

fn backward(z: vec4f, g: vec4f, o: Operands, means: vec2f) -> vec4f {
  return g * o.weight - z * means.y;
}

fn operand_terms(z: vec4f, g: vec4f) -> Operands {
  return Operands(g * z);
}
