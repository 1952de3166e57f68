// In: a shader of one entry point. Out: the same, with the lengths of its arrays asked for once, ahead of its loops. Browsers
// hold every index to the length of its array, and a software adapter makes each length by a division, at each access; of one
// that it has already it makes no more: relu takes less time than a copy kernel written without (docs/benchmarks.md). Entry
// points for few elements, named `each` or `alone`, are left as they are: there the compiler is most of the wait.

const ARRAY = /var<storage[^>]*>\s*([\w\u0080-\uffff]+)\s*:\s*array<[^;,]*>\s*;/g;
const ACCESSED = /[\w\u0080-\uffff]+(?=\s*\[)|(?<=&)[\w\u0080-\uffff]+/g;

const FEW = /(?:^|_)(?:each|alone)(?:_|$)/;

export function lengthsFirst(wgsl: string, entry: string): string {
  if (FEW.test(entry) || !/\b(?:for|while|loop)\b/.test(wgsl)) return wgsl;
  const start = wgsl.search(new RegExp(`\\bfn\\s+${entry}\\s*\\(`));
  const open = wgsl.indexOf('{', start) + 1;
  if (start < 0 || open === 0) return wgsl;
  // Not of those that other entry points use: what is named here is bound.
  const accessed = new Set(wgsl.match(ACCESSED));
  let lengths = '';
  for (const [, name = ''] of wgsl.matchAll(ARRAY)) {
    if (!accessed.has(name)) continue;
    const length = `arrayLength(&${name})`;
    lengths = lengths === '' ? length : `min(${lengths},${length})`;
  }
  if (lengths === '') return wgsl;
  // Never so; but no compiler knows.
  return `${wgsl.slice(0, open)}if(${lengths}==0u){return;}${wgsl.slice(open)}`;
}
