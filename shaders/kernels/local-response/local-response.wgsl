//#include "lib/grid.wgsl"
//#include "lib/bits.wgsl"
//#include "lib/pow.wgsl"
//#include "lib/sqrt.wgsl"
// x d^-beta with d = k + a (sum of squares over neighbouring channels), of a tensor [outer, n, inner] whose channels are the
// middle dimension; one element per invocation. Where squares would leave float32 they are of elements over 2^up.

override workgroup_size = 256u;

struct Uniforms {
  n: u32,
  inner: u32,
  count: u32,    // elements
  behind: u32,   // channels of a window ahead of its own, and behind it
  ahead: u32,
  a: f32,        // alpha / size
  k: f32,
  beta: f32,
  slope: f32,    // 2 a beta
  rise: f32,     // 1 - 2 beta in two parts: the first times any exponent is exact
  rest: f32,
  negative: f32, // the sign of (-1)^beta, or NaN
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
// Of each element g x d^(-beta - 1) 2^up, and 2^-up.
@group(0) @binding(4) var<storage, read_write> terms: array<f32>;
@group(0) @binding(5) var<storage, read_write> scales: array<f32>;

struct Measure {
  d: f32,    // over 4^up
  power: f32, // that to the -beta
  rise: f32, // 2^(up (1 - 2 beta))
  down: f32, // 2^-up
}

// The channels of a window that are there: the place of the first, and how many.
fn window_at(i: u32, behind: u32, ahead: u32) -> vec2u {
  let c = (i / u.inner) % u.n;
  let first = min(c, behind);
  return vec2u(i - first * u.inner, first + min(u.n - 1u - c, ahead) + 1u);
}

fn measure_at(i: u32) -> Measure {
  let w = window_at(i, u.behind, u.ahead);
  var most = 0.0;
  for (var j = 0u; j < w.y; j++) {
    most = max(most, abs(x[w.x + j * u.inner]));
  }
  // Beside a k squares that are nothing may be flushed; without one they are all that there is.
  let scaled = (most > 0x1p+40 || (u.k == 0.0 && most > 0.0 && most < 0x1p-40)) && u.a != 0.0 && !is_inf(most);
  let up = select(0, clamp(i32(bitcast<u32>(most) >> 23u) - 127, -126, 126), scaled);
  let down = pow2i(-up);
  var sum = 0.0;
  for (var j = 0u; j < w.y; j++) {
    let v = x[w.x + j * u.inner] * down;
    sum += v * v;
  }
  let d = (u.k * down) * down + u.a * sum;
  let size = nl_pow(abs(d), -u.beta);
  let power = select(size, size * u.negative, d < 0.0);
  if (up == 0) {
    return Measure(d, power, 1.0, 1.0);
  }
  let exponent = f32(up);
  return Measure(d, power, nl_pow(2.0, exponent * u.rise) * nl_pow(2.0, exponent * u.rest), down);
}

@compute @workgroup_size(workgroup_size)
fn forward(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let i = invocation_index(grid, local);
  if (i >= u.count) {
    return;
  }
  let m = measure_at(i);
  y[i] = ((x[i] * m.down) * m.power) * m.rise;
}

// What an element of the gradient has of its own window, and what it gives to those of others.
@compute @workgroup_size(workgroup_size)
fn backward_terms(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let i = invocation_index(grid, local);
  if (i >= u.count) {
    return;
  }
  let m = measure_at(i);
  let own = ((grad_output[i] * m.power) * m.rise) * m.down;
  y[i] = own;
  terms[i] = own * ((x[i] * m.down) * nl_reciprocal(m.d));
  scales[i] = m.down;
}

@compute @workgroup_size(workgroup_size)
fn backward(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let i = invocation_index(grid, local);
  if (i >= u.count) {
    return;
  }
  let w = window_at(i, u.ahead, u.behind);
  let v = x[i];
  var sum = 0.0;
  for (var j = 0u; j < w.y; j++) {
    let at = w.x + j * u.inner;
    sum += (v * scales[at]) * terms[at];
  }
  y[i] -= u.slope * sum;
}
