//#include "lib/div.wgsl"
//#include "lib/sqrt.wgsl"
//#include "losses/cross-entropy.wgsl"
//#include "losses/margin.wgsl"
// The cosine of the class's angle plus a margin, by cos(a + m) = cos a cos m - sin a sin m. Past `limit` a line goes on falling.
fn sine_squared(c: f32) -> f32 {
  let square = (1.0 - c) * (1.0 + c);
  return select(0.0, square, square > 0.0);
}

fn margin(c: f32, p: Params) -> f32 {
  return select(c - p.drop, c * p.cos_m - nl_sqrt(sine_squared(c)) * p.sin_m, c > p.limit);
}

fn margin_grad(c: f32, p: Params) -> f32 {
  let square = sine_squared(c);
  // At a cosine of 1 the derivative of the root is infinite. It is left out there, as it is beyond.
  let bent = select(nl_divide(c, nl_sqrt(square)) * p.sin_m, 0.0, square == 0.0);
  return select(1.0, p.cos_m + bent, c > p.limit);
}
