// Removes the functions that an entry point never calls: an op needs a few of a library of numerics, and browsers parse and
// compile all there are.

// Innermost first, as block comments nest.
const COMMENT = /\/\/.*|\/\*(?:(?!\/\*|\*\/)[^])*\*\//g;
// Letters beyond ASCII are part of a name, whatever they are: Unicode's properties would take long to compile.
const FUNCTION = /(?:@[^{};]*)?\bfn\s+([\w\u0080-\uffff]+)/g;
const CALLED = /[\w\u0080-\uffff]+(?=\s*\()/g;

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
    end = endOfBody(text, index);
    functions.set(name, text.slice(index, end));
  }
  rest += text.slice(end);
  // Declarations may be in any order: what is reached is put behind the rest.
  let reached = '';
  const visit = (name: string): void => {
    const body = functions.get(name);
    if (body === undefined) return;
    functions.delete(name);
    reached += body;
    body.match(CALLED)?.forEach(visit);
  };
  visit(entry);
  rest.match(CALLED)?.forEach(visit);
  return rest + reached;
}

/** Behind the brace that closes the first one from `index` on. By searches: a look at each character takes its time. */
function endOfBody(text: string, index: number): number {
  let end = text.indexOf('{', index) + 1;
  for (let depth = 1; depth > 0;) {
    const close = text.indexOf('}', end);
    const open = text.indexOf('{', end);
    if (close < 0) return text.length;
    const opens = open >= 0 && open < close;
    depth += opens ? 1 : -1;
    end = (opens ? open : close) + 1;
  }
  return end;
}
