//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sin.wgsl"
// x + sin^2(a x) / a. The product a x is computed as a rounded value and its rounding error, and the square of the sine as a
// sum of two floats, because x and the quotient may differ in sign. From |a x| = 2^20 on float32 has too few numbers for the
// wave: the result is that for its mean, x + 1 / (2 a), with the slope 1.
struct Phase {
  v: f32,
  low: f32,
}

fn phase_of(x: f32, a: f32, a_low: f32) -> Phase {
  let v = a * x;
  return Phase(v, fma(a_low, x, -nl_remainder(v, a, x)));
}

// False for NaN too.
fn is_near(v: f32) -> bool {
  return abs(v) < 0x1p+20f;
}

// sin^2 / a as a sum of two floats.
fn wave_of(phase: Phase, a: f32, a_low: f32) -> vec2f {
  let s = nl_sin_pair(nl_turn(phase.v, phase.low));
  let square = s.x * s.x;
  let rest = fma(2.0 * s.x, s.y, -nl_remainder(square, s.x, s.x));
  let q = square / a;
  return vec2f(q, (fma(-q, a_low, nl_remainder(square, a, q)) + rest) / a);
}

fn snake(x: f32, a: f32, a_low: f32) -> f32 {
  let phase = phase_of(x, a, a_low);
  let wave = wave_of(phase, a, a_low);
  // The last bit of the sum is cleared, so that compilers cannot simplify its rounding error to 0.
  let y = bitcast<f32>(bitcast<u32>(x + wave.x) & 0xfffffffeu);
  return select(x + 0.5 / a, y + ((wave.x - (y - x)) + wave.y), is_near(phase.v));
}

fn slope_of(x: f32, a: f32, a_low: f32) -> f32 {
  let phase = phase_of(x, a, a_low);
  let slope = select(1.0, 1.0 + nl_sin(2.0 * phase.v, 2.0 * phase.low), is_near(phase.v));
  return select(slope, x, is_nan(x));
}

// The derivative with respect to a: (x sin(2 a x) - sin^2(a x) / a) / a.
fn slope_by_alpha(x: f32, a: f32) -> f32 {
  let phase = phase_of(x, a, 0.0);
  let wave = wave_of(phase, a, 0.0).x;
  let near = fma(x, nl_sin(2.0 * phase.v, 2.0 * phase.low), -wave);
  return select(select(-0.5 / a, near, is_near(phase.v)) / a, x, is_nan(x));
}

fn forward(x: f32, p: Params) -> f32 {
  return snake(x, p.alpha, p.alpha_low);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return grad_output * slope_of(x, p.alpha, p.alpha_low);
}
