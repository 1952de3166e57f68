// Whether all of several recordings have run: word 0 becomes 0 if every other word is 0. See src/gpu/runs.ts.

@group(0) @binding(1) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(1)
fn all_ran() {
  var left = 0u;
  for (var i = 1u; i < arrayLength(&words); i++) {
    left |= words[i];
  }
  words[0] = left;
}
