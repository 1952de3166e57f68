// In: WGSL and the name of an entry point. Out: the same without the functions that the entry never calls: of a file of
// numerics an op needs a few, and browsers parse and lower all there are, in a third of the time that a small pipeline takes.

// Innermost first, as block comments nest.
const COMMENT = /\/\/[^\n]*|\/\*(?:(?!\/\*|\*\/)[^])*\*\//g;
const FUNCTION = /(?:@\w+\s*(?:\([^)]*\)\s*)?)*\bfn\s+([\w\P{ASCII}]+)/gu;
const NAME = /[\w\P{ASCII}]+/gu;

export function reach(wgsl: string, entry: string): string {
  let text = wgsl;
  for (let before = ''; before !== text;) text = (before = text).replace(COMMENT, ' ');
  /** Names of functions, and what lies between them under ''. */
  const parts: (readonly [name: string, text: string])[] = [];
  let end = 0;
  for (const match of text.matchAll(FUNCTION)) {
    parts.push(['', text.slice(end, match.index)]);
    end = endOfBody(text, match.index);
    parts.push([match[1] ?? '', text.slice(match.index, end)]);
  }
  parts.push(['', text.slice(end)]);
  const functions = new Map(parts);
  const reached = new Set<string>();
  const visit = (part: string): void => {
    for (const [name] of part.matchAll(NAME)) {
      if (!functions.has(name) || reached.has(name)) continue;
      reached.add(name);
      visit(functions.get(name) ?? '');
    }
  };
  visit(entry);
  for (const [name, part] of parts) if (name === '') visit(part);
  return parts.map(([name, part]) => (name === '' || reached.has(name) ? part : '')).join('');
}

/** Where the function that starts at `from` ends. */
function endOfBody(text: string, from: number): number {
  let depth = 0;
  for (let i = text.indexOf('{', from); i >= 0 && i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i + 1;
  }
  return text.length;
}
