//#include "lib/log.wgsl"
//#include "lib/sqrt.wgsl"
//#include "lib/threefry.wgsl"
// Normal numbers by key and index: sqrt(-2 ln u) cos(2 π v) of two uniform ones (Box & Muller 1958, A Note on the Generation of
// Random Normal Deviates).

// cos(2 π v) for v in [0, 1): r = v - q / 4 is exact for the nearest quarter q, and |2 π r| is at most π / 4.
fn cos_of_turn(v: f32) -> f32 {
  let q = floor(fma(v, 4.0, 0.5));
  let r = fma(q, -0.25, v);
  let a = r * 6.2831853;
  let z = a * a;
  // Polynomials of degree 9 and 8, off by less than 2^-27.
  var p = fma(z, 2.7557319e-6, -1.984127e-4);
  p = fma(p, z, 8.333333e-3);
  p = fma(p, z, -0.16666667);
  let sine = fma(a * z, p, a);
  var c = fma(z, 2.4433157e-5, -1.3887316e-3);
  c = fma(c, z, 4.1666646e-2);
  c = fma(c, z, -0.5);
  let cosine = fma(c, z, 1.0);
  let k = u32(q) & 3u;
  let value = select(cosine, sine, (k & 1u) == 1u);
  return select(value, -value, k == 1u || k == 2u);
}

fn normal_at(key: vec2u, index: u32) -> f32 {
  let words = threefry(key, vec2u(index, 0u));
  let u1 = (f32(words.x >> 9u) + 0.5) * 0x1p-23f;
  let v = f32(words.y >> 8u) * 0x1p-24f;
  return nl_sqrt(-2.0 * nl_log(u1)) * cos_of_turn(v);
}
