//#include "lib/class-label.wgsl"
// requires: nan
// The part of region.wgsl for targets that are class indices.
const IGNORED = 0xffffffffu;
const INVALID = 0xfffffffeu;
@group(0) @binding(2) var<storage, read> classes: array<i32>;

fn truth_of(j: u32) -> u32 {
  let label = label_of(j);
  return select(select(INVALID, label.index, label.valid), IGNORED, label.ignored);
}

// 1 at the true class, and 0 elsewhere. An index out of range makes all sums NaN.
fn target_of(e: u32, c: u32, truth: u32) -> f32 {
  return select(select(0.0, 1.0, c == truth), nan(), truth == INVALID);
}

fn is_kept(y: f32, truth: u32) -> bool {
  return truth != IGNORED;
}
