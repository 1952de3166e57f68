//#include "lib/div.wgsl"
// requires: unit_alpha, unit_beta
// min(max(alpha x + beta, 0), 1), but NaN stays NaN. The gradient at both ends is 0.
//
// With the options that PyTorch has, 1/6 and 1/2, it is (x + 3) / 6.
fn standard() -> bool {
  return (unit_alpha == 1u) & (unit_beta == 1u);
}

// alpha x + beta as a sum of two floats, so that it is above 0 or below 1 only where it is so exactly.
fn line_of(x: f32, p: Params) -> vec2f {
  // Its last bit is cleared, so that compilers cannot fuse the product into the sums below, which then had its error twice.
  let v = bitcast<f32>(bitcast<u32>(p.alpha * x) & 0xfffffffeu);
  // What is missing of the product, and of both options.
  let low = fma(p.alpha_low, x, -nl_remainder(v, p.alpha, x)) + p.beta_low;
  // The last bit of the sum is cleared, so that compilers cannot simplify its rounding error to 0.
  let sum = bitcast<f32>(bitcast<u32>(v + p.beta) & 0xfffffffeu);
  let rest = select(v - (sum - p.beta), p.beta - (sum - v), abs(v) >= abs(p.beta)) + low;
  // Where alpha x is huge, so is the sum, and parts of the rest may be infinite.
  return select(vec2f(v + p.beta, 0.0), vec2f(sum, rest), abs(v) < 0x1p+60f);
}

fn forward(x: f32, p: Params) -> f32 {
  if (standard()) {
    return select(select(nl_sixth(x + 3.0), 0.0, x <= -3.0), 1.0, x >= 3.0);
  }
  let line = line_of(x, p);
  let y = line.x + line.y;
  return select(select(y, 0.0, y <= 0.0), 1.0, y >= 1.0);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  if (standard()) {
    return select(0.0, nl_sixth(grad_output), (x > -3.0) & (x < 3.0));
  }
  let line = line_of(x, p);
  // Without beta the sign is that of alpha x, also where the product is too small for float32.
  let above = select(line.x + line.y > 0.0, sign(p.alpha) * x > 0.0, p.beta == 0.0);
  let inside = above & ((line.x - 1.0) + line.y < 0.0);
  // The two parts of alpha may differ in sign, which an infinite gradient must not see.
  let infinite = abs(grad_output) > 0x1.fffffep+127f;
  let low = select(grad_output * p.alpha_low, 0.0, infinite);
  return select(0.0, fma(grad_output, p.alpha, low), inside);
}
