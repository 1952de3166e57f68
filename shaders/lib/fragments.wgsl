// Sums of products of a few rows and columns, as an invocation has them.

// Sums for four rows of four results. It is a struct, because emulated GPUs keep arrays in memory, not in registers.
struct Fragment {
  r0: vec4f,
  r1: vec4f,
  r2: vec4f,
  r3: vec4f,
}

fn row_of(sums: Fragment, row: u32) -> vec4f {
  return select(
    select(sums.r0, sums.r1, row == 1u),
    select(sums.r2, sums.r3, row == 3u),
    row > 1u,
  );
}

fn add_fragments(x: Fragment, y: Fragment) -> Fragment {
  return Fragment(x.r0 + y.r0, x.r1 + y.r1, x.r2 + y.r2, x.r3 + y.r3);
}

// Adds the products of four rows of A with four columns of B for one k.
fn add_products(sums: Fragment, rows: vec4f, columns: vec4f) -> Fragment {
  return Fragment(
    fma(vec4f(rows.x), columns, sums.r0),
    fma(vec4f(rows.y), columns, sums.r1),
    fma(vec4f(rows.z), columns, sums.r2),
    fma(vec4f(rows.w), columns, sums.r3),
  );
}

// The same for four k. A column of the matrices `a` and `b` holds the elements for one k.
fn add_block_products(sums: Fragment, rows: mat4x4f, columns: mat4x4f) -> Fragment {
  let first = add_products(add_products(sums, rows[0], columns[0]), rows[1], columns[1]);
  return add_products(add_products(first, rows[2], columns[2]), rows[3], columns[3]);
}
