//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sqrt.wgsl"
// The square root, also of numbers outside the range that nl_sqrt is exact in: they are taken there by an even power of two.
fn root_of(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  // As an integer, a subnormal is itself times 2^149; float arithmetic might see 0.
  let subnormal = b < 0x00800000u;
  let tiny = b < 0x12800000u; // 2^-90
  let large = x > 0x1p125;
  let v = select(select(select(x, x * 0.0625, large), x * 0x1p64, tiny), f32(b) * 2.0, subnormal);
  let factor = select(select(select(1.0, 4.0, large), 0x1p-32, tiny), 0x1p-75, subnormal);
  return select(nl_sqrt(v) * factor, nan(), b > 0x80000000u);
}

fn forward(x: f32, p: Params) -> f32 {
  return root_of(x);
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return nl_divide(grad_output, 2.0 * root_of(x));
}
