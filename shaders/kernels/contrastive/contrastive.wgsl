//#include "lib/sum.wgsl"
// Losses of the similarities of all rows with all columns, which are there a chunk of rows at a time: a launch ahead has
// multiplied the rows with the columns. `rows` computes losses, and what gradients need to know of each row; `gradient`
// overwrites the products of a chunk with their gradients. The `form` slot says what a loss is.

override workgroup_size = 64u;

//#slot rows
//#include "lib/rows-by-invocation.wgsl"
//#end
//#include "lib/row-lanes.wgsl"

struct Uniforms {
  rows: u32,        // of the chunk
  columns: u32,
  first: u32,       // the first row of the chunk
  all_rows: u32,
  half: u32,        // rows of each view, where the rows are two views of the same
  views: u32,       // neighbouring rows that have one label
  segments: u32,    // parts of a column, each of an invocation of `columns`
  invocations: u32, // of `gradient`
  fresh: u32,       // 1 for the chunk that comes first, where sums over chunks begin
  zero: u32,
  scale: f32,       // factor of products; not used where a tensor holds it
  bias: f32,        // what is added to them then
  factor: f32,      // factor of each loss
  share: f32,       // the part of each loss in the result
}
@group(0) @binding(0) var<uniform> u: Uniforms;
// Products, and in `gradient` their gradients.
@group(0) @binding(1) var<storage, read_write> products: array<f32>;

// src/kernels/contrastive/bindings.ts writes this slot and binds only what a call needs. By default a row belongs to the
// column of the same number.
//#slot access
const two_way = false;  // whether a column has a loss too
const with_own = false; // whether a row has one more product, that of its positive
const summed = false;   // whether gradients of scale and bias are wanted
fn logit_of(product: f32) -> f32 { return u.scale * product; }
fn factor_of_products() -> f32 { return u.scale; }
fn pair_of(row: u32, column: u32) -> u32 { return select(0u, 1u, row == column); }
fn upstream_of(row: u32) -> f32 { return u.share; }
fn store_loss(i: u32, v: f32) {}
fn store_row_line(i: u32, v: vec4f) {}
fn store_column_line(i: u32, v: vec4f) {}
fn column_line(i: u32) -> vec4f { return vec4f(); }
fn own_product(row: u32) -> f32 { return 0.0; }
fn store_own_grad(row: u32, v: f32) {}
fn add_to_sums(i: u32, v: vec2f) {}
//#end

// What a pair of a row and a column can be besides a negative one.
const POSITIVE = 1u;
const LEFT_OUT = 2u;

//#slot form
//#include "kernels/contrastive/softmax.wgsl"
//#end

@compute @workgroup_size(workgroup_size)
fn gradient(grid: Grid, @builtin(local_invocation_index) local: u32) {
  let first = invocation_index(grid, local);
  var by_scale = vec2f();
  var by_bias = vec2f();
  for (var i = first; i < u.rows * u.columns; i += u.invocations) {
    let row = u.first + i / u.columns;
    let column = i % u.columns;
    let product = products[i];
    let g = gradient_of(row, column, logit_of(product), pair_of(row, column));
    if (summed) {
      by_scale = sum_add(by_scale, g * product, u.zero);
      by_bias = sum_add(by_bias, g, u.zero);
    }
    products[i] = g * factor_of_products();
  }
  if (summed && first < u.invocations) {
    add_to_sums(first, vec2f(sum_value(by_scale), sum_value(by_bias)));
  }
}
