// requires: place_of, u.a, u.b, u.count, u.x_step, u.y_step, workgroup_size, x, y
// For a box that is contiguous along one dimension in x and along another in y: tiles of 32 × 32 go through workgroup memory,
// so that neighbours read neighbours and write neighbours. Rows of 33, so that a column is in different banks.
var<workgroup> tile: array<u32, 1056>;

@compute @workgroup_size(workgroup_size)
fn transpose(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tiles_a = (u.a + 31u) / 32u;
  let tiles_b = (u.b + 31u) / 32u;
  let index = workgroup.x + workgroup.y * workgroups.x;
  let outer = index / (tiles_a * tiles_b);
  // The dispatch may be folded, with some workgroups left over.
  if (outer >= u.count) {
    return;
  }
  let place = place_of(outer);
  let first_a = (index % tiles_a) * 32u;
  let first_b = (index / tiles_a % tiles_b) * 32u;
  let lane = local % 32u;
  for (var r = local / 32u; r < 32u; r += workgroup_size / 32u) {
    let a = first_a + lane;
    let b = first_b + r;
    if (a < u.a && b < u.b) {
      tile[r * 33u + lane] = x[place.x + a + b * u.x_step];
    }
  }
  workgroupBarrier();
  for (var r = local / 32u; r < 32u; r += workgroup_size / 32u) {
    let a = first_a + r;
    let b = first_b + lane;
    if (a < u.a && b < u.b) {
      y[place.y + b + a * u.y_step] = tile[lane * 33u + r];
    }
  }
}
