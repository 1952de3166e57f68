//#include "lib/bits.wgsl"
// Sines of u + low, a number in two parts, for |u| up to 2^21. The argument is reduced by Cody and Waite's method:
// u + low = n pi/2 + r, where pi/2 is a sum of three floats. The first two have 12 bits and n is split into two parts of 11
// bits, so that their products are exact whether fma is fused or not.
//   nl_sin(u, low): at most 1 ULP of 1, and of the result for |u| < pi / 4
//   nl_sin_pair: the magnitude of the sine as a sum of two floats, off by at most 2^-23.5 (measured: 2^-24.2)

// n, and r as a sum of two floats, with |r| <= pi / 4 + 2^-10.
struct Turn {
  n: i32,
  r: f32,
  low: f32,
}

fn nl_turn(u: f32, low: f32) -> Turn {
  // After 1.5 * 2^23 is added, the low bits of the float hold n; a NaN is never converted to an integer.
  let n = bitcast<i32>(fma(u, 0x1.45f306p-1f, 12582912.0f)) - 0x4b400000;
  let h = bitcast<i32>(bitcast<u32>(n + 1024) & 0xfffff800u);
  let high = f32(h);
  let rest_n = f32(n - h);
  var t = fma(-high, 0x1.922p+0f, u);
  t = fma(-rest_n, 0x1.922p+0f, t);
  t = fma(high, 0x1.2aep-18f, t);
  t = fma(rest_n, 0x1.2aep-18f, t);
  let rest = fma(f32(n), 0x1.de973ep-31f, low);
  // The last bit of the sum is cleared, so that compilers cannot simplify its rounding error to 0.
  let r = bitcast<f32>(bitcast<u32>(t + rest) & 0xfffffffeu);
  return Turn(n, r, select(t - (r - rest), rest - (r - t), abs(t) >= abs(rest)));
}

// The sine of r where n is even, else its cosine, as a sum of two floats. Both are minimax polynomials (own fit).
fn nl_sin_pair(turn: Turn) -> vec2f {
  let r = turn.r;
  let z = r * r;
  let odd = (turn.n & 1) != 0;
  var p = fma(z, 0x1.6cbd3cp-19f, -0x1.a00f2cp-13f);
  p = fma(p, z, 0x1.111108p-7f);
  p = fma(p, z, -0x1.555556p-3f);
  var q = fma(z, 0x1.99e15p-16f, -0x1.6c0c1cp-10f);
  q = fma(q, z, 0x1.55554ap-5f);
  let by_sin = fma(turn.low, fma(z, -0.5, 1.0), (r * z) * p);
  let by_cos = fma(-r, turn.low, fma(z * z, q, -0.5 * z));
  let first = select(r, 1.0, odd);
  let more = select(by_sin, by_cos, odd);
  let s = bitcast<f32>(bitcast<u32>(first + more) & 0xfffffffeu);
  return vec2f(s, more - (s - first));
}

fn nl_sin(u: f32, low: f32) -> f32 {
  let turn = nl_turn(u, low);
  let s = nl_sin_pair(turn);
  return select(s.x + s.y, -(s.x + s.y), (turn.n & 2) != 0);
}
