//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
//#include "lib/expm1.wgsl"
//#include "lib/log.wgsl"
//#include "lib/log1p.wgsl"
//#include "lib/pow.wgsl"
// b / alpha ((z^2 / b + 1)^(alpha / 2) - 1) with z = (input - expected) / c and b = |alpha - 2|. With t = |z| / sqrt b and
// l = log(1 + t^2) the power less 1 is expm1(alpha / 2 l), which does not cancel; where that is large it is a power, as the
// exponential would amplify the error of l. From t = 2^30 on, where 1 + t^2 rounds to t^2 and may overflow, the power is
// that of t. Derived are inverse = 2 / c, reach = 2 / (c sqrt b), factor = b / alpha, stretch = factor^(1 / alpha) and
// lead = sqrt b / c, and rest is what float32 loses of alpha, which a large logarithm shows. Differences are halved, because
// they may overflow; so may t, whose powers are those of t / 2^32 then.
const far_from = 0x1p30f;

struct Distance {
  t: f32,     // the larger ones divided by 2^32
  far: bool,
  large: bool,
}

fn distance_of(h: f32, p: Params) -> Distance {
  let a = abs(h);
  let large = a > 0x1p96f;
  let t = a * select(1.0, 0x1p-32f, large) * p.reach;
  return Distance(t, t > select(far_from, 0x1p-2f, large), large);
}

fn log_of(d: Distance) -> f32 {
  return select(nl_log1p(d.t * d.t), 2.0 * nl_log(d.t) + select(0.0, 44.3614196f, d.large), d.far);
}

// What rest adds to alpha / 2 l.
fn low_of(l: f32, p: Params) -> f32 {
  return select(0.0, 0.5 * p.rest * l, l < 0x1p10f);
}

// t^e of a far one.
fn power_of(d: Distance, stretch: f32, e: f32) -> f32 {
  return nl_pow(d.t * stretch, e) * select(1.0, nl_pow(0x1p32f, e), d.large);
}

fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let h = 0.5 * input - 0.5 * expected;
  if (p.alpha == 2.0) {
    let z = h * p.inverse;
    return (0.5 * z) * z;
  }
  let d = distance_of(h, p);
  let l = log_of(d);
  if (abs(p.alpha) < 1e-30) {
    return l;
  }
  let low = low_of(l, p);
  let y = 0.5 * p.alpha * l + low;
  if ((y < 2.0) | (p.alpha > 16.0) | is_nan(y)) {
    return p.factor * nl_expm1(y);
  }
  if (d.far) {
    let power = power_of(d, p.stretch, p.alpha);
    return power * (1.0 + low);
  }
  let power = nl_pow(fma(d.t, d.t, 1.0), 0.5 * p.alpha);
  return p.factor * (power * (1.0 + low) - 1.0);
}

// z / c (z^2 / b + 1)^(alpha / 2 - 1).
fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let h = 0.5 * input - 0.5 * expected;
  let d = distance_of(h, p);
  let e = fma(0.5, p.alpha, -1.0);
  var g = ((0.5 * h) * p.inverse) * p.inverse;
  let l = log_of(d);
  let low = low_of(l, p);
  if (d.far) {
    g = sign(h) * p.lead * power_of(d, 1.0, p.alpha - 1.0) * (1.0 + low);
  } else if (abs(e) <= 8.0) {
    g *= nl_pow(fma(d.t, d.t, 1.0), e) * (1.0 + low);
  } else {
    g = nl_exp_times(g, e * l, low);
  }
  g *= grad_output;
  return vec2f(g, -g);
}
