//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// Cox's partial likelihood, over positions sorted by falling time: `order` holds their keys and themselves. A sum of
// exponentials is a pair (m, s), s e^m, which leaves float32 for no m. The scan of e^x makes the sums over who is still at
// risk; that of 1 over them, from the other end, the sums over events, of which gradients are made. Who has the same time has
// the same sums: those at the last, or at the first, of these.

override workgroup_size = 256u;

struct Uniforms {
  n: u32,
  tiles: u32,  // of as many positions as a workgroup has invocations, in each block
  blocks: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> order: array<vec2u>;
@group(0) @binding(2) var<storage, read> x: array<f32>;

const nothing = vec2f(-0x1.fffffep+127f, 0.0);

// e^v as a pair. A NaN is one of the sum, as a maximum may leave it out.
fn unit_of(v: f32) -> vec2f {
  let none = bitcast<u32>(v) == 0xff800000u;
  return select(select(vec2f(v, 1.0), nothing, none), vec2f(nothing.x, v), is_nan(v));
}

fn join(a: vec2f, b: vec2f) -> vec2f {
  let m = select(a.x, b.x, b.x > a.x);
  // Where both are the largest their factor is 1, also of +Inf.
  let p = select(nl_exp(a.x - m), 1.0, a.x == m);
  let q = select(nl_exp(b.x - m), 1.0, b.x == m);
  return vec2f(m, a.y * p + b.y * q);
}

// Where the positions of the same time as the k-th begin, and end.
fn first_of(k: u32) -> u32 {
  let key = order[k].x;
  var low = 0u;
  var high = k;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (order[middle].x < key) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  return low;
}

fn last_of(k: u32) -> u32 {
  let key = order[k].x;
  var low = k;
  var high = u.n - 1u;
  while (low < high) {
    let middle = (low + high + 1u) / 2u;
    if (order[middle].x > key) {
      high = middle - 1u;
    } else {
      low = middle;
    }
  }
  return low;
}

//#slot access
// src/kernels/cox/plan.ts writes what is scanned: here the sums over who is at risk.
@group(0) @binding(4) var<storage, read_write> sums: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> totals: array<vec2f>;
fn place_of(k: u32) -> u32 { return k; }
fn element_of(k: u32) -> vec2f { return unit_of(x[order[k].y]); }
//#end

//#slot entry
//#include "kernels/cox/scan.wgsl"
//#end
