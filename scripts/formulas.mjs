// @ts-check
// In: the catalog's TeX. Out: a Vite plugin whose modules `virtual:formulas/functions` and `virtual:formulas/losses` hold each
// formula as KaTeX renders it, so that the page carries KaTeX's style and fonts but not KaTeX.
import { fileURLToPath } from 'node:url';
import katex from 'katex';
import { createServer } from 'vite';

const PREFIX = 'virtual:formulas/';
const RESOLVED = `\0${PREFIX}`;
const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The formulas of all losses, or of all other ops, each once.
 * @param {boolean} losses
 * @param {(path: string) => Promise<Record<string, unknown>>} load loads a TypeScript module
 * @returns {Promise<string[]>}
 */
async function formulasOf(losses, load) {
  const { catalog } = await load('src/catalog.ts');
  /** @typedef {{ tex: string, derivative?: string, range?: string }} Docs */
  /** @typedef {{ kind: string, docs: Docs }} Entry */
  const docs = /** @type {Entry[]} */ (catalog)
    .filter(({ kind }) => (kind === 'loss') === losses)
    .map((entry) => entry.docs);
  const all = docs.flatMap(({ tex, derivative, range }) => [tex, derivative, range]);
  return [...new Set(all.filter((tex) => tex !== undefined))];
}

/**
 * @param {string} tex
 * @returns {string} HTML for the eye, MathML for screen readers; throws on what KaTeX does not know
 */
export function renderFormula(tex) {
  // in a line of text, so that it may break; as large as on a line of its own
  const html = katex.renderToString(`\\displaystyle ${tex}`, { strict: 'error', trust: false });
  // the TeX that it was made from is no help to who listens
  return html.replace(/<annotation[^]*?<\/annotation>/g, '');
}

/**
 * Leaves of KaTeX's style sheet the fonts in the one format that every browser with WebGPU reads.
 * @returns {import('vite').Plugin}
 */
export function modernFonts() {
  return {
    name: 'modern-fonts',
    enforce: 'pre',
    transform: (code, id) =>
      /katex.*\.css/.test(id)
        ? code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\) format\([^)]*\)/g, '')
        : undefined,
  };
}

/** @returns {import('vite').Plugin} */
export function formulas() {
  return {
    name: 'formulas',
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    async load(id) {
      if (!id.startsWith(RESOLVED)) return undefined;
      // a server of its own: nothing is served, it only loads TypeScript
      const server = await createServer({
        root,
        configFile: false,
        logLevel: 'error',
        appType: 'custom',
        server: { middlewareMode: true, hmr: false, ws: false, watch: null },
        optimizeDeps: { noDiscovery: true, include: [] },
      });
      try {
        const all = await formulasOf(id.endsWith('/losses'), (path) =>
          server.ssrLoadModule(`${root}${path}`),
        );
        const rendered = Object.fromEntries(all.map((tex) => [tex, renderFormula(tex)]));
        return `export default ${JSON.stringify(rendered)};`;
      } finally {
        await server.close();
      }
    },
  };
}
