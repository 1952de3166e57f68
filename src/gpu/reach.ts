// In: WGSL and the name of an entry point. Out: the same without the functions that the entry never calls: of a file of
// numerics an op needs a few, and browsers parse and lower all there are.

// Innermost first, as block comments nest.
const COMMENT = /\/\/.*|\/\*(?:(?!\/\*|\*\/)[^])*\*\//g;
// Letters beyond ASCII are part of a name, whatever they are: Unicode's properties would take long to compile.
const FUNCTION = /(?:@[^{};]*)?\bfn\s+([\w\u0080-\uffff]+)/g;
const NAME = /[\w\u0080-\uffff]+/g;

export function reach(wgsl: string, entry: string): string {
  let text = wgsl;
  while (text.includes('//') || text.includes('/*')) {
    const before = text;
    text = text.replace(COMMENT, ' ');
    if (text === before) break;
  }
  const functions = new Map<string, string>();
  let rest = '';
  let end = 0;
  for (const { index, 1: name = '' } of text.matchAll(FUNCTION)) {
    rest += text.slice(end, index);
    end = text.indexOf('{', index) + 1;
    for (let depth = 1; depth > 0 && end < text.length; end++) {
      if (text[end] === '{') depth++;
      else if (text[end] === '}') depth--;
    }
    functions.set(name, text.slice(index, end));
  }
  rest += text.slice(end);
  // Declarations may be in any order: what is reached is put behind the rest.
  let reached = '';
  const visit = (part: string): void => {
    for (const [name] of part.matchAll(NAME)) {
      const body = functions.get(name);
      if (body === undefined) continue;
      functions.delete(name);
      reached += body;
      visit(body);
    }
  };
  visit(`${entry} ${rest}`);
  return rest + reached;
}
