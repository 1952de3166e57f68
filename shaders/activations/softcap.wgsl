//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/tanh.wgsl"
// cap tanh(x / cap). Far below the cap it is x, however small the quotient is.
fn forward(x: f32, p: Params) -> f32 {
  let v = nl_divide(x, p.cap);
  let t = nl_tanh(v);
  return select(fma(p.cap, t, p.cap_low * t), x, (abs(v) < 0x1p-13f) | is_nan(x));
}

// 1 - tanh^2(x / cap), from the quotient and what rounding took from it: the tail is as far off as that is, times 2 |x / cap|.
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = nl_divide(x, p.cap);
  let low = fma(-v, p.cap_low, nl_remainder(x, p.cap, v)) / p.cap;
  let near = abs(v) < 60.0;
  return grad_output * nl_sech2_low(v, select(0.0, low, near & (abs(v) > 0x1p-13f)));
}
