//#include "lib/bits.wgsl"
//#include "lib/exp.wgsl"
// requires: Row, class_weight, is_broken, normaliser_of, store_grad_target, u.classes, u.count, u.inner
// requires: tempered, u.label_smoothing, upstream_of, z_of
// The part of linear-cross-entropy.wgsl for targets that are class probabilities t. With w the class weights, e the
// label smoothing and lse the log-sum-exp of a row, the loss is sum_c s[c] (lse - z[c]). Here
// s[c] = w[c] ((1 - e) t[c] + e / n) is the share of class c.

@group(0) @binding(2) var<storage, read> probabilities: array<f32>;

fn place_of(row: u32, c: u32) -> u32 {
  return ((row / u.inner) * u.classes + c) * u.inner + row % u.inner;
}

fn label_in_chunk(row: u32) -> u32 {
  return u.count;
}

fn share_of(row: u32, c: u32) -> f32 {
  let each = u.label_smoothing / f32(u.classes);
  return class_weight(c) * fma(1.0 - u.label_smoothing, probabilities[place_of(row, c)], each);
}

fn loss_of(row: u32, found: Row) -> f32 {
  let loss = fma(found.share, normaliser_of(found), 16.0 * found.below);
  if (tempered) {
    return loss + z_of(found).x;
  }
  return loss;
}

// The result is (maximum, factor of e^(z - max), upstream gradient, log of the sum of e^(z - max)).
fn factors_for(row: u32, found: Row) -> vec4f {
  let scale = upstream_of(row);
  var all = found.share;
  if (tempered) {
    all += z_of(found).y;
  }
  let factor = select(scale * all / (1.0 + found.sum_others), nan(), is_broken(found));
  return vec4f(found.max, factor, scale, normaliser_of(found));
}

fn gradient_of(row: u32, c: u32, z: f32, f: vec4f) -> f32 {
  let loss = f.w + (f.x - z);
  store_grad_target(place_of(row, c), (f.z * ((1.0 - u.label_smoothing) * class_weight(c))) * loss);
  return f.y * nl_exp(z - f.x) - f.z * share_of(row, c);
}
