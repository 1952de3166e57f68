// @ts-check
/**
 * Gives short names to what WGSL declares inside functions: parameters, `let`, `var` and `const`. Names at module scope, members
 * and attributes stay, as other files, TypeScript and people refer to them.
 */

/** Comments and directives, names, numbers, and every other character by itself. */
const TOKEN = /\/\/[^\n]*|[\p{L}_][\p{L}\p{N}_]*|\.?\d[\p{L}\p{N}_.]*|[^]/gu;
const NAME = /^[\p{L}_]/u;
/** Without those that are names at module scope (x and y of many kernels, u of all, V of pair-rows): what looks for these must find no others. */
const LETTERS = 'defghijklmnoqrsvwzADEFGHIJKLMNOPQRSTUWXYZ';

/**
 * @param {string} wgsl without block comments
 */
export function shortenLocals(wgsl) {
  const texts = wgsl.match(TOKEN) ?? [];
  let depth = 0;
  for (let i = 0; i < texts.length; i++) {
    if (texts[i] === '{') depth++;
    else if (texts[i] === '}') depth--;
    else if (texts[i] === 'fn' && depth === 0) i = shortenFunction(texts, i);
  }
  return texts.join('');
}

/**
 * Renames within one function, and returns the index of its last token.
 * @param {string[]} texts
 * @param {number} start of `fn`
 */
function shortenFunction(texts, start) {
  /** Indices of the names that may be local, and the local names that some other name is the same as. */
  /** @type {Map<string, number[]>} */
  const places = new Map();
  /** @type {Set<string>} */
  const others = new Set();
  /** @type {Set<string>[]} */
  const scopes = [new Set()];
  /** How many braces were open where each `for` began: its header is a scope around that of its body. */
  /** @type {number[]} */
  const loops = [];
  let braces = 0;
  /** @type {string | null} What a statement declares: it is in scope behind the statement. */
  let pending = null;
  /** The last token that is no blank. */
  let last = '';
  let i = start + 1;
  for (; i < texts.length; i++) {
    const text = texts[i] ?? '';
    if (/^\s$|^\/\//.test(text)) continue;
    const scope = scopes.at(-1);
    if (text === '@') {
      i = endOfAttribute(texts, i);
      continue;
    }
    if (NAME.test(text) && last !== '.') {
      const declares = last === 'let' || last === 'var' || last === 'const';
      const parameter = braces === 0 && (last === '(' || last === ',') && nextOf(texts, i) === ':';
      if (text === 'for') {
        loops.push(braces);
        scopes.push(new Set());
      } else if (declares || parameter) {
        if (parameter) scope?.add(text);
        else pending = text;
        push(places, text, i);
      } else if (scopes.some((names) => names.has(text))) push(places, text, i);
      else others.add(text);
    } else if (text === '{') {
      braces++;
      scopes.push(new Set());
    } else if (text === '}') {
      braces--;
      scopes.pop();
      if (loops.at(-1) === braces) {
        loops.pop();
        scopes.pop();
      }
      if (braces === 0) break;
    } else if (text === ';' && pending !== null) {
      scope?.add(pending);
      pending = null;
    }
    last = text;
  }
  let next = 0;
  for (const [name, at] of places) {
    // Short already, or the same as the name of something else, in another block.
    if (name.length === 1 || others.has(name)) continue;
    while (others.has(nameAt(next)) || places.has(nameAt(next))) next++;
    for (const index of at) texts[index] = nameAt(next);
    next++;
  }
  return i;
}

/** d, e, …, Z, d1, e1, … @param {number} k */
function nameAt(k) {
  const round = Math.floor(k / LETTERS.length);
  return LETTERS.charAt(k % LETTERS.length) + (round > 0 ? String(round) : '');
}

/**
 * @param {Map<string, number[]>} places
 * @param {string} name
 * @param {number} index
 */
function push(places, name, index) {
  const known = places.get(name);
  if (known) known.push(index);
  else places.set(name, [index]);
}

/**
 * @param {readonly string[]} texts
 * @param {number} index
 */
function nextOf(texts, index) {
  for (let i = index + 1; i < texts.length; i++) {
    const text = texts[i] ?? '';
    if (!/^\s$|^\/\//.test(text)) return text;
  }
  return '';
}

/**
 * The index of the last token of an attribute such as `@builtin(workgroup_id)`, from that of its `@`.
 * @param {readonly string[]} texts
 * @param {number} at
 */
function endOfAttribute(texts, at) {
  if (texts[at + 2] !== '(') return at + 1;
  let depth = 1;
  let i = at + 3;
  for (; depth > 0 && i < texts.length; i++) {
    if (texts[i] === '(') depth++;
    else if (texts[i] === ')') depth--;
  }
  return i - 1;
}
