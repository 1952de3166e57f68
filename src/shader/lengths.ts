// For software adapters: reads the length of every array once, at the start of an entry point, if it has loops.
//
// Browsers limit every index to the length of its array. SwiftShader computes that length by a division at each access, unless
// the shader has read the length before. With that, relu takes less time than the copy kernel in docs/benchmarks.md.

import { shaderOf, type Program } from './link.ts';

const ARRAY = /var<storage[^>]*>\s*([\w\u0080-\uffff]+)\s*:\s*array<[^;,]*>\s*;/g;
const ACCESSED = /[\w\u0080-\uffff]+(?=\s*\[)|(?<=&)[\w\u0080-\uffff]+/g;

/** The text of a shader module: that of one entry point, as the adapter likes it (`Tuning.hoistArrayLengths`). */
export function codeOf(program: Program, entry: string, hoist: boolean): string {
  const text = shaderOf(program, entry);
  return hoist ? hoistArrayLengths(text, entry) : text;
}

/** The shader of one entry point, which reads the lengths of its arrays before its loops. */
export function hoistArrayLengths(wgsl: string, entry: string): string {
  if (!/\b(?:for|while|loop)\b/.test(wgsl)) return wgsl;
  const start = wgsl.search(new RegExp(`\\bfn\\s+${entry}\\s*\\(`));
  const open = wgsl.indexOf('{', start) + 1;
  if (start < 0 || open === 0) return wgsl;
  // Only the arrays that this entry point accesses, because others may not be bound.
  const accessed = new Set(wgsl.match(ACCESSED));
  let lengths = '';
  for (const [, name = ''] of wgsl.matchAll(ARRAY)) {
    if (!accessed.has(name)) continue;
    const length = `arrayLength(&${name})`;
    lengths = lengths === '' ? length : `min(${lengths},${length})`;
  }
  if (lengths === '') return wgsl;
  // A bound array is never empty. The compiler cannot know that, so it does not remove this test.
  return `${wgsl.slice(0, open)}if(${lengths}==0u){return;}${wgsl.slice(open)}`;
}
