//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
// nl_sqrt(x): at most 1 ULP for x in [2^-90, 2^126], however inaccurate WGSL's sqrt is; elsewhere it is WGSL's sqrt. 0, +Inf
// and NaN are returned as they are. One Newton step improves WGSL's result s. Its residual x - s^2 is nearly exact.
fn nl_sqrt(x: f32) -> f32 {
  let s = sqrt(x);
  let y = select(s, s + nl_remainder(x, s, s) * (0.5 / s), x > 0x1p-90 && x < 0x1p+126);
  return select(y, x, x == 0.0 || (bitcast<u32>(x) & 0x7fffffffu) >= 0x7f800000u);
}

// nl_reciprocal(x) = 1 / x: at most 1 ULP for |x| in [2^-100, 2^100]; elsewhere it is WGSL's division.
fn nl_reciprocal(x: f32) -> f32 {
  let q = 1.0 / x;
  let a = abs(x);
  return select(q, fma(nl_remainder(1.0, x, q), q, q), a > 0x1p-100 && a < 0x1p+100);
}
