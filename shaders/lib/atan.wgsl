//#include "lib/div.wgsl"
// nl_atan(x): at most 3 ULP; pi / 2 for +Inf, NaN for NaN. Up to 1 it is x + x^3 P(x^2) with a minimax polynomial P of degree 8
// (own fit); beyond it is pi / 2 less that of 1 / x.
fn nl_atan(x: f32) -> f32 {
  let a = abs(x);
  let flip = a > 1.0;
  let r = select(a, nl_divide(1.0, a), flip);
  let z = r * r;
  var p = fma(z, -0x1.3da67cp-9f, 0x1.bf7760p-7f);
  p = fma(p, z, -0x1.27db68p-5f);
  p = fma(p, z, 0x1.00ddf6p-4f);
  p = fma(p, z, -0x1.62ff64p-4f);
  p = fma(p, z, 0x1.c40cf0p-4f);
  p = fma(p, z, -0x1.246e9ap-3f);
  p = fma(p, z, 0x1.999852p-3f);
  p = fma(p, z, -0x1.555554p-2f);
  let y = fma(p * z, r, r);
  let whole = select(y, 1.57079633f - y, flip);
  return select(whole, -whole, x < 0.0);
}
