// requires: u.ignore_value
// The part of region.wgsl for targets that are numbers, one for each class.
@group(0) @binding(2) var<storage, read> targets: array<f32>;

// No class is the true one.
fn truth_of(j: u32) -> u32 {
  return 0xffffffffu;
}

fn target_of(e: u32, c: u32, truth: u32) -> f32 {
  return targets[e];
}

fn is_kept(y: f32, truth: u32) -> bool {
  return y != u.ignore_value;
}
