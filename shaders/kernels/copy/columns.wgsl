// Columns of one matrix into columns of another. Elements are words of 32 bits, whatever their type.

override workgroup_size = 256u;

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
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

// Element `i` of x, which may be float16, or have a number for its row added: src/kernels/windows.ts writes this slot.
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
