//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// Losses of overlap between predicted and true regions, class by class over a batch. Input is [outer, n, inner], n classes of
// outer * inner positions; p is its softmax over the classes, its sigmoid, or the input itself, and y the target. Of each class
//   tp = sum min(p, y), fp = sum max(p - y, 0), fn = sum max(y - p, 0), and the sum of y
// are made in one pass, from which `finish` computes the loss of the class and its derivative with respect to p, which is `less`
// where p < y and `more` where p > y. The gradient is one more pass over the input. For the softmax `normalise` goes ahead of
// either: of each position it stores the maximum and the sum of exponentials, not the softmax.

override workgroup_size = 64u;
override activation: u32 = 2u; // 0: none; 1: sigmoid; 2: softmax
const block = 4u;              // classes that an invocation of `class_sums` sums side by side

struct Uniforms {
  n: u32,
  inner: u32,
  positions: u32, // outer * inner
  splits: u32,    // invocations that share the positions of a class
  stride: u32,    // number of invocations in the dispatch
  op_code: u32,
  ignore_index: i32,
  ignore_value: f32,
  parts: u32,     // windows that have sums of their own, each by so many splits
  per_class: u32, // whether there is an upstream gradient for each class
  scale: f32,     // factor of upstream gradients
  zero: u32,      // 0, which compilers do not know: see lib/sum.wgsl
  alpha: f32,
  beta: f32,
  gamma: f32,
  smooth_by: f32,
  eps: f32,
  log_loss: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(3) var<storage, read_write> facts: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> slopes: array<vec2f>;
@group(0) @binding(7) var<storage, read> grad_output: array<f32>;
@group(0) @binding(8) var<storage, read_write> grad: array<f32>;

// What is true at a position: a class index, or a number for each class.
//#slot target
//#include "kernels/region/labels.wgsl"
//#end

// The index of the element of class 0 at a position.
fn base_of(j: u32) -> u32 {
  return (j / u.inner) * u.n * u.inner + j % u.inner;
}

// What the softmax of a position is computed from.
struct Facts {
  max: f32,
  others: f32, // the sum of the exponentials of all classes but the true one
  sum: f32,
  truth: u32,  // the true class, or one of the constants of the target
}

// Without a softmax only the true class is looked up.
//#slot facts
fn facts_of(j: u32) -> Facts {
  return unpacked(facts[j]);
}
//#end

fn unpacked(v: vec4u) -> Facts {
  return Facts(bitcast<f32>(v.x), bitcast<f32>(v.y), bitcast<f32>(v.z), v.w);
}

// A prediction p with 1 - p, which keeps its digits where p is almost 1, and what is true.
struct Pixel {
  p: f32,
  rest: f32,
  y: f32,
  kept: bool,
}

fn pixel_of(e: u32, c: u32, f: Facts) -> Pixel {
  let x = input[e];
  let y = target_of(e, c, f.truth);
  let kept = is_kept(y, f.truth);
  if (activation == 0u) {
    return Pixel(x, 1.0 - x, y, kept);
  }
  if (activation == 1u) {
    let t = nl_exp(-abs(x));
    let large = nl_rcp1p(t);
    let small = t * large;
    return Pixel(select(small, large, x >= 0.0), select(large, small, x >= 0.0), y, kept);
  }
  let p = nl_divide(nl_exp(x - f.max), f.sum);
  return Pixel(p, select(1.0 - p, nl_divide(f.others, f.sum), c == f.truth), y, kept);
}

// p - y. Where both are near 1 it is the difference of what they lack.
fn excess_of(v: Pixel) -> f32 {
  return select(v.p - v.y, (1.0 - v.y) - v.rest, (v.p > 0.5) & (v.y > 0.5));
}

@compute @workgroup_size(workgroup_size)
fn normalise(@builtin(global_invocation_id) id: vec3u) {
  for (var j = id.x; j < u.positions; j += u.stride) {
    let base = base_of(j);
    let truth = truth_of(j);
    var row_max = input[base];
    for (var c = 1u; c < u.n; c++) {
      let x = input[base + c * u.inner];
      row_max = select(row_max, x, x > row_max);
    }
    var own = 0.0;
    var sum = 0.0;
    var part = 0.0;
    for (var c = 0u; c < u.n; c++) {
      let e = nl_exp(input[base + c * u.inner] - row_max);
      if (c == truth) {
        own = e;
      } else {
        part += e;
      }
      if ((c & 31u) == 31u) {
        sum += part;
        part = 0.0;
      }
    }
    sum += part;
    facts[j] = vec4u(bitcast<u32>(row_max), bitcast<u32>(sum), bitcast<u32>(sum + own), truth);
  }
}

// Sums of tp, fp, fn and y, with what rounding has lost of them.
struct Sums {
  high: vec4f,
  low: vec4f,
}

fn hidden(v: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(v) ^ vec4u(u.zero));
}

fn added(s: Sums, v: vec4f) -> Sums {
  let high = hidden(s.high + v);
  return Sums(high, s.low + (v - hidden(high - s.high)));
}

fn measure(e: u32, c: u32, f: Facts) -> vec4f {
  let v = pixel_of(e, c, f);
  let d = excess_of(v);
  let both = v.p + v.y;
  let overlap = select(select(v.p, v.y, v.y < v.p), both, is_nan(both));
  let counts = vec4f(overlap, select(0.0, d, d > 0.0), select(0.0, -d, d < 0.0), v.y);
  return select(vec4f(), counts, v.kept);
}

//#include "kernels/region/finish.wgsl"

@compute @workgroup_size(workgroup_size)
fn class_sums(@builtin(global_invocation_id) id: vec3u) {
  let units = (u.n + block - 1u) / block * u.splits;
  for (var unit = id.x; unit < units; unit += u.stride) {
    let first = unit / u.splits * block;
    let own = unit % u.splits;
    var sums = array<Sums, block>();
    var j = own;
    while (j < u.positions) {
      // A few terms are added up first, so that there is little to do for each.
      var part = array<vec4f, block>();
      for (var k = 0u; k < 8u && j < u.positions; k++) {
        let f = facts_of(j);
        let base = base_of(j);
        for (var b = 0u; b < block; b++) {
          if (first + b < u.n) {
            part[b] += measure(base + (first + b) * u.inner, first + b, f);
          }
        }
        j += u.splits;
      }
      for (var b = 0u; b < block; b++) {
        sums[b] = added(sums[b], part[b]);
      }
    }
    for (var b = 0u; b < block; b++) {
      if (first + b < u.n) {
        let at = ((first + b) * u.splits + own) * 2u;
        partials[at] = sums[b].high;
        partials[at + 1u] = sums[b].low;
      }
    }
  }
}

// The upstream gradient of a class.
//#slot upstream
fn upstream_of(c: u32) -> f32 {
  return grad_output[c * u.per_class] * u.scale;
}
//#end

// The derivative of the loss with respect to p; halfway between both where p is y.
fn slope_of(c: u32, v: Pixel) -> f32 {
  let d = excess_of(v);
  let s = slopes[c];
  return upstream_of(c) * select(select(0.5 * (s.x + s.y), s.x, d < 0.0), s.y, d > 0.0);
}

@compute @workgroup_size(workgroup_size)
fn element_gradients(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.positions * u.n; i += u.stride) {
    let c = i / u.inner % u.n;
    let v = pixel_of(i, c, facts_of(i / (u.inner * u.n) * u.inner + i % u.inner));
    let slope = slope_of(c, v);
    grad[i] = select(0.0, select(slope * (v.p * v.rest), slope, activation == 0u), v.kept);
  }
}

// Through the softmax: p_c (h_c - sum_k p_k h_k), h the slopes. The true class is left out of the sum, and its own share is
// h_y (1 - p_y), so that nothing cancels where p_y is almost 1.
@compute @workgroup_size(workgroup_size)
fn softmax_gradients(@builtin(global_invocation_id) id: vec3u) {
  for (var j = id.x; j < u.positions; j += u.stride) {
    let f = facts_of(j);
    let base = base_of(j);
    var others = 0.0;
    var part = 0.0;
    var own = Pixel();
    var own_slope = 0.0;
    for (var c = 0u; c < u.n; c++) {
      let v = pixel_of(base + c * u.inner, c, f);
      let slope = slope_of(c, v);
      if (c == f.truth) {
        own = v;
        own_slope = slope;
      } else {
        part += v.p * slope;
      }
      if ((c & 31u) == 31u) {
        others += part;
        part = 0.0;
      }
    }
    others += part;
    for (var c = 0u; c < u.n; c++) {
      let at = base + c * u.inner;
      let v = pixel_of(at, c, f);
      let rest = select(slope_of(c, v) - own.p * own_slope, own_slope * own.rest, c == f.truth);
      grad[at] = select(0.0, v.p * (rest - others), v.kept);
    }
  }
}
