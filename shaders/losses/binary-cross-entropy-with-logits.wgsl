//#include "lib/bce.wgsl"
//#include "lib/sigmoid.wgsl"
//#include "lib/softplus.wgsl"
// w ((1 - t) x + (1 + (pos_weight - 1) t) ln(1 + e^-x)). The gradient is computed from sigmoid(-|x|), so that it is
// accurate for large x of both signs.
fn loss(input: f32, expected: f32, weight: f32, pos_weight: f32, p: Params) -> f32 {
  return weight * nl_bce(input, expected, pos_weight);
}

fn loss_grad(input: f32, expected: f32, weight: f32, pos_weight: f32, grad_output: f32, p: Params) -> vec2f {
  let scale = nl_bce_share(expected, pos_weight) * nl_sigmoid(-abs(input));
  let below = input < 0.0;
  let by_input = select((1.0 - expected) - scale, scale - pos_weight * expected, below);
  let upstream = weight * grad_output;
  // The upstream gradient is multiplied first, because it may keep the product finite.
  let line = (input * upstream) * select(-1.0, -pos_weight, below);
  return vec2f(by_input * upstream, fma((pos_weight - 1.0) * upstream, nl_softplus(-abs(input)), line));
}

// The gradients with respect to both weights.
fn weight_grad(input: f32, expected: f32, weight: f32, pos_weight: f32, grad_output: f32, p: Params) -> vec2f {
  let by_weight = nl_bce(input, expected, pos_weight) * grad_output;
  return vec2f(by_weight, (expected * (weight * grad_output)) * nl_softplus(-input));
}
