//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/sigmoid.wgsl"
// x sigmoid(alpha x). As in quick-gelu.wgsl, the product alpha x is a rounded value and its rounding error; alpha_low is the part
// of alpha that float32 lost.
fn low_of(x: f32, v: f32, p: Params) -> f32 {
  let low = fma(x, p.alpha_low, -nl_remainder(v, p.alpha, x));
  return select(low, 0.0, !(abs(v) <= 110.0));
}

fn forward(x: f32, p: Params) -> f32 {
  let v = p.alpha * x;
  // PyTorch computes an infinity times 0 in the tail.
  return select(nl_sigmoid_times(x, v, low_of(x, v, p)), nan(), is_inf(x) & (v < 0.0));
}

fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  let v = p.alpha * x;
  let low = low_of(x, v, p);
  let slope = nl_gate_grad(v, low, nl_sigmoid_arg(v), low);
  // PyTorch differentiates x times a sigmoid, which gives 0 Inf or Inf - Inf in these cases.
  return select(grad_output * slope, nan(), is_nan(x) | is_inf(x) | (is_inf(grad_output) & (v <= 0.0)));
}

// The gate, at most the limit, and the other operand, within it on either side.
fn gate_of(x: f32, p: Params) -> f32 {
  return select(x, p.limit, x > p.limit);
}

fn up_of(x: f32, p: Params) -> f32 {
  return select(select(x, p.limit, x > p.limit), -p.limit, x < -p.limit) + p.offset;
}

// Whether a clamp passes the gradient: at the limit it does, of NaN it does not.
fn passes(x: f32, p: Params) -> bool {
  return (p.limited == 0u) | ((x <= p.limit) & !is_nan(x));
}
