// Selects rows of a matrix by index: row k of the result is row index[k] of x, or 0 where index[k] is negative.

override workgroup_size = 256u;

struct Uniforms {
  width: u32,  // elements per row
  count: u32,  // elements of the result
  stride: u32, // invocations in the dispatch, the step of the loop
  first: u32,  // the first row of x that is bound
  height: u32, // number of bound rows of x; dispatches for other windows write the other rows
  skip: u32,   // elements in the binding before that row
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroup_size)
fn pick(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    let row = index[i / u.width];
    if (row < 0) {
      y[i] = 0.0;
    } else if (u32(row) - u.first < u.height) {
      y[i] = x[u.skip + (u32(row) - u.first) * u.width + i % u.width];
    }
  }
}
