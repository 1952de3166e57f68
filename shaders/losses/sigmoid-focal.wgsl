//#include "lib/bce.wgsl"
//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/pow.wgsl"
//#include "lib/sigmoid.wgsl"
// a ce m^gamma, where ce is the binary cross-entropy of the logit x against t, m = p (1 - t) + (1 - p) t with p =
// sigmoid(x) is the distance of the prediction from the target, and a = alpha t + (1 - alpha) (1 - t), or 1 for a
// negative alpha.
fn balance(t: f32, p: Params) -> f32 {
  return select(p.alpha * t + (1.0 - p.alpha) * (1.0 - t), 1.0, p.alpha < 0.0);
}

// m^gamma. m is negative for some targets outside of [0, 1]; then the result is NaN unless gamma is an integer.
fn hardness(m: f32, p: Params) -> f32 {
  let size = nl_pow(abs(m), p.gamma);
  let whole = floor(p.gamma) == p.gamma;
  let odd = 2.0 * floor(0.5 * p.gamma) != p.gamma;
  return select(size, select(nan(), select(size, -size, odd), whole), m < 0.0);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let m = nl_sigmoid(input) * (1.0 - expected) + nl_sigmoid(-input) * expected;
  return balance(expected, p) * hardness(m, p) * nl_bce(input, expected, 1.0);
}

fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let yes = nl_sigmoid(input);
  let no = nl_sigmoid(-input);
  let m = yes * (1.0 - expected) + no * expected;
  let ce = nl_bce(input, expected, 1.0);
  let hard = hardness(m, p);
  // The derivatives of m^gamma, divided by m^gamma and multiplied by ce. They are 0 where m or gamma is 0, unless ce
  // is NaN. Where m is subnormal, ce / m is nearly 1; a quotient of such numbers may be infinite.
  let nothing = vec2f(select(0.0, ce, is_nan(ce)));
  let share = select(nl_divide(ce, m), 1.0, abs(m) < 0x1p-126);
  let turn = share * vec2f(yes * no * (1.0 - 2.0 * expected), no - yes);
  let bend = select(p.gamma * turn, nothing, (p.gamma == 0.0) | (m == 0.0));
  let off = select((1.0 - expected) - no, yes - expected, input < 0.0);
  let a = balance(expected, p);
  let tilt = select(2.0 * p.alpha - 1.0, 0.0, p.alpha < 0.0);
  let by_target = fma(tilt, ce, a * (bend.y - input));
  return vec2f(a * (bend.x + off), by_target) * (hard * grad_output);
}
