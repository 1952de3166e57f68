// Columns of one matrix into columns of another, with a column of a third added to each.

override workgroup_size = 256u;
override with_shift: bool = false;

struct Uniforms {
  width: u32,  // columns copied
  count: u32,  // elements copied
  stride: u32, // invocations of the dispatch: the step of the loop
  x_width: u32,
  x_from: u32,
  y_width: u32,
  y_from: u32,
  shift_width: u32,
  shift_from: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> shift: array<f32>; // x again where nothing is added

@compute @workgroup_size(workgroup_size)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    let row = i / u.width;
    let column = i % u.width;
    var v = x[row * u.x_width + u.x_from + column];
    if (with_shift) {
      v += shift[row * u.shift_width + u.shift_from];
    }
    y[row * u.y_width + u.y_from + column] = v;
  }
}
