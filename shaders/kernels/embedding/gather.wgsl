// Rows of a table by index: row k of the result is row indices[k] of the table. An index out of range is noted for the next
// read, and gives NaN.

override workgroup_size = 256u;

//#slot access
// How an element, or four neighbours, are read and written.
@group(0) @binding(1) var<storage, read> table: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
fn copy_unit(i: u32, at: u32) {
  y[i] = table[at];
}
fn store_nan(i: u32) {
  y[i] = vec4f(bitcast<f32>(u.nan));
}
//#end

struct Uniforms {
  units: u32,   // elements of a row, or groups of four
  count: u32,   // of the result
  stride: u32,  // invocations in the dispatch, the step of the loop
  rows: u32,    // of the whole table
  first: u32,   // the first row that is bound
  height: u32,  // bound rows; dispatches for other windows write the other rows of the result
  skip: u32,    // units in the binding before that row
  op_code: u32,
  nan: u32,     // the bits of NaN, which no constant may be
}
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(2) var<storage, read> indices: array<i32>;

struct Status {
  flag: atomic<u32>,
  op_code: u32,
  index: i32,
  rows: u32,
}
@group(0) @binding(11) var<storage, read_write> status: Status;

// The flag of indices in src/gpu/status.ts.
const INDICES = 5u;

@compute @workgroup_size(workgroup_size)
fn gather(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < u.count; i += u.stride) {
    let k = i / u.units;
    let index = indices[k];
    // A negative one is larger than any row.
    let row = bitcast<u32>(index);
    if (row - u.first < u.height) {
      copy_unit(i, u.skip + (row - u.first) * u.units + (i - k * u.units));
    } else if (row >= u.rows && u.first == 0u) {
      store_nan(i);
      if (atomicMax(&status.flag, INDICES) == 0u) {
        status.op_code = u.op_code;
        status.index = index;
        status.rows = u.rows;
      }
    }
  }
}
