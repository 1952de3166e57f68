// @ts-check
/**
 * Makes WGSL short: without comments and needless whitespace, with short names inside functions. And a Vite plugin that does
 * so for `*.wgsl?raw` imports at build time. WGSL has no string literals, so every `//` and `/*` really starts a comment.
 */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { shortenLocals } from './wgsl-locals.mjs';

/** WGSL's line breaks: LF, VT, FF, CR, NEL, LS, PS. */
const LINE_BREAK = /[\n\v\f\r\u0085\u2028\u2029]/;

/** Joined, two such characters would be part of one token. */
const WORD = /[\p{L}\p{N}_.]/u;

/** Operator pairs that would become another token when joined, e.g. `a - -b`, `a & &b`. */
const JOINS = /^(?:\+\+|--|&&|\|\||<<|>>|[<>=!+\-*/%&|^]=|->|\/\/|\/\*)$/;

/**
 * Removes comments. A line whose first characters are `//#` is a directive of this
 * library's shader assembler and stays. A comment counts as one blank.
 * @param {string} source
 */
export function stripComments(source) {
  let out = '';
  let i = 0;
  while (i < source.length) {
    const pair = source.slice(i, i + 2);
    if (pair === '//') {
      let end = i;
      while (end < source.length && !LINE_BREAK.test(source.charAt(end))) end++;
      const startsLine = /(?:^|[\n\v\f\r\u0085\u2028\u2029])[^\S\n\r]*$/.test(out);
      if (startsLine && source.charAt(i + 2) === '#') out += source.slice(i, end);
      i = end;
    } else if (pair === '/*') {
      let depth = 1;
      i += 2;
      while (i < source.length && depth > 0) {
        const inner = source.slice(i, i + 2);
        if (inner === '/*') depth++;
        else if (inner === '*/') depth--;
        i += inner === '/*' || inner === '*/' ? 2 : 1;
      }
      if (depth > 0) throw new Error('WGSL: unterminated block comment');
      out += ' ';
    } else {
      out += source.charAt(i++);
    }
  }
  return out;
}

/**
 * Removes blanks that separate nothing within one run of code without directives.
 * @param {string} code
 */
function squeeze(code) {
  let out = '';
  for (const part of code.split(/\s+/).filter(Boolean)) {
    const last = out.slice(-1);
    const first = part.charAt(0);
    const needed = (WORD.test(last) && WORD.test(first)) || JOINS.test(last + first);
    out += needed ? ` ${part}` : part;
  }
  return out;
}

/**
 * Minifies WGSL. Of all names only those inside functions change. `//#` lines keep a line of their own.
 * @param {string} source
 */
export function minifyWgsl(source) {
  // What a slot holds is replaced when the shader is linked, unless it is a default.
  const text = source.replace(
    /^([ \t]*\/\/#slot \w+\b)(?! default)[^\n]*\n[^]*?(^[ \t]*\/\/#end)/gm,
    '$1\n$2',
  );
  /** @type {string[]} */
  const lines = [];
  let code = '';
  const flush = () => {
    const squeezed = squeeze(code);
    if (squeezed) lines.push(squeezed);
    code = '';
  };
  for (const line of shortenLocals(stripComments(text)).split(LINE_BREAK)) {
    if (line.trimStart().startsWith('//#')) {
      flush();
      lines.push(line.trim());
    } else {
      code += `${line}\n`;
    }
  }
  flush();
  return lines.length > 0 ? `${lines.join('\n')}\n` : '';
}

/**
 * The Vite plugin. Tests see the sources as written: it works in `vite build` only.
 * @returns {import('vite').Plugin}
 */
export function wgslMinify() {
  return {
    name: 'nonlin:wgsl-minify',
    apply: 'build',
    // before Vite's own handling of `?raw`
    enforce: 'pre',
    async load(id) {
      const [file = '', query = ''] = id.split('?');
      if (!file.endsWith('.wgsl') || !new URLSearchParams(query).has('raw')) return null;
      this.addWatchFile(file);
      const text = minifyWgsl(await readFile(file, 'utf8'));
      return { code: `export default ${JSON.stringify(text)};\n`, moduleType: 'js' };
    },
  };
}

/**
 * Vite plugin, for builds of one file out per file in: what a consumer's bundler puts together begins with the shaders. Compression
 * looks back 32 kB, and so finds what shaders share where they stand side by side, not between the modules that import them.
 * Bundlers follow the order of imports, also of those that they then drop.
 * @param {readonly string[]} entries the package's, such as `index.js`
 * @returns {import('vite').Plugin}
 */
export function shadersFirst(entries) {
  return {
    name: 'nonlin:shaders-first',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const paths = chunks
        .map(({ fileName }) => fileName)
        .filter((name) => name.startsWith('shaders/'))
        .sort();
      const list = 'shaders/all.js';
      const source = paths.map((path) => `import '${relative(posix.dirname(list), path)}';\n`);
      this.emitFile({ type: 'asset', fileName: list, source: source.join('') });
      for (const chunk of chunks) {
        if (!entries.includes(chunk.fileName)) continue;
        chunk.code = `import '${relative(posix.dirname(chunk.fileName), list)}'; ${chunk.code}`;
      }
    },
  };
}

/**
 * @param {string} folder
 * @param {string} path
 */
function relative(folder, path) {
  const way = posix.relative(folder, path);
  return way.startsWith('.') ? way : `./${way}`;
}
