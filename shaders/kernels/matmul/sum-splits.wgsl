// The second pass of a matrix product whose k terms were split among workgroups. It adds the sums of all splits in a
// fixed order and stores the results. An invocation has four results of a row, or one if rows are not a multiple of
// vec4.

//#include "lib/matrices.wgsl"

// The same slot as in matmul.wgsl, except that `Results` are all results of an invocation. `index` is their place in
// C and `column` their first column.
//#slot epilogue
struct Params { unused: f32 }
alias Results = vec4f;
const width = 4u;
@group(0) @binding(3) var<storage, read_write> c: array<Results>;
@group(0) @binding(6) var<storage, read> split_sums: array<Results>;
fn store(index: u32, column: u32, v: Results) { c[index / width] = v; }
//#end

// The sums of lines, of which each split has two parts as in lib/sum.wgsl. src/kernels/matmul/access.ts writes this slot.
//#slot line_sums
const summed = 0u;
fn line_part(split: u32, line: u32) -> vec2f { return vec2f(); }
fn store_line(line: u32, sum: f32) {}
//#end

fn sum_line(line: u32) {
  var low = vec2f();
  var high = vec2f();
  for (var split = 0u; split < u.splits; split++) {
    let part = line_part(split, line);
    low = sum_add(low, part.x, u.zero);
    high = sum_add(high, part.y, u.zero);
  }
  store_line(line, sum_whole(vec2f(sum_value(low), sum_value(high))));
}

@compute @workgroup_size(64)
fn sum_splits(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let size = u.batches * u.m * u.n / width;
  let i = invocation.x + invocation.y * workgroups.x * 64u;
  if (i >= size) {
    // The invocations behind those of the results have a line each.
    if (summed > 0u && i - size < u.m) { sum_line(i - size); }
    return;
  }
  var sum = Results();
  for (var split = 0u; split < u.splits; split++) {
    sum += split_sums[split * size + i];
  }
  store(i * width, i * width % u.n, sum);
}
