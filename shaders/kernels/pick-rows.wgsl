// Rows of a matrix by their index: row k of the result is row index[k] of x, or 0 where that is negative.

override workgroup_size = 256u;

struct Uniforms {
  width: u32,  // of a row
  count: u32,  // elements of the result
  stride: u32, // invocations of the dispatch: the step of the loop
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroup_size)
fn pick(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    let row = index[i / u.width];
    var v = 0.0;
    if (row >= 0) {
      v = x[u32(row) * u.width + i % u.width];
    }
    y[i] = v;
  }
}
