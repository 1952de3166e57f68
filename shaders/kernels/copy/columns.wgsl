// Copies columns of one matrix to columns of another. Elements are 32-bit words of any type.

override workgroup_size = 256u;

struct Uniforms {
  width: u32,  // columns that are copied
  count: u32,  // elements that are copied
  stride: u32, // invocations in the dispatch, the step of the loop
  x_width: u32,
  x_from: u32,
  y_width: u32,
  y_from: u32,
  shift_width: u32,
  shift_from: u32,
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

// Loads element `i` of x. src/kernels/windows/copy.ts writes this slot, which may convert from float16 or add a number
// that belongs to the row.
//#slot load
fn load(i: u32, row: u32) -> u32 { return x[i]; }
//#end

@compute @workgroup_size(workgroup_size)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    let row = i / u.width;
    let column = i % u.width;
    y[row * u.y_width + u.y_from + column] = load(row * u.x_width + u.x_from + column, row);
  }
}
