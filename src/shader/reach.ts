// Removes the functions that an entry point never calls. An op needs only a few functions of the libraries that it includes,
// but browsers parse and compile all that are there.

// Matches innermost comments first, because block comments nest.
const COMMENT = /\/\/.*|\/\*(?:(?!\/\*|\*\/)[^])*\*\//g;
// All characters beyond ASCII count as letters of a name. Exact Unicode properties make regular expressions slow to compile.
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
  // WGSL allows declarations in any order, so the functions that are reached are put after the rest.
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

/** The index after the brace that closes the first one from `index` on. Searches are faster than a look at each character. */
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
