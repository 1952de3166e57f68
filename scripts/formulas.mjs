// @ts-check
// In: the catalog's TeX. Out: a Vite plugin whose module `virtual:formulas` holds each formula as KaTeX renders it, so that
// the page carries KaTeX's style and fonts but not KaTeX.
import { fileURLToPath } from 'node:url';
import katex from 'katex';
import { createServer } from 'vite';

const NAME = 'virtual:formulas';
const RESOLVED = `\0${NAME}`;
const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The formulas of all ops, each once.
 * @param {(path: string) => Promise<Record<string, unknown>>} load loads a TypeScript module
 * @returns {Promise<string[]>}
 */
async function formulasOf(load) {
  const { catalog } = await load('src/catalog.ts');
  /** @typedef {{ tex: string, derivative?: string, range?: string }} Docs */
  const docs = /** @type {{ docs: Docs }[]} */ (catalog).map((entry) => entry.docs);
  const all = docs.flatMap(({ tex, derivative, range }) => [tex, derivative, range]);
  return [...new Set(all.filter((tex) => tex !== undefined))];
}

/**
 * @param {string} tex
 * @returns {string} HTML for the eye, MathML for screen readers; throws on what KaTeX does not know
 */
export function renderFormula(tex) {
  return katex.renderToString(tex, { displayMode: true, strict: 'error', trust: false });
}

/** @returns {import('vite').Plugin} */
export function formulas() {
  return {
    name: 'formulas',
    resolveId: (id) => (id === NAME ? RESOLVED : undefined),
    async load(id) {
      if (id !== RESOLVED) return undefined;
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
        const all = await formulasOf((path) => server.ssrLoadModule(`${root}${path}`));
        const rendered = Object.fromEntries(all.map((tex) => [tex, renderFormula(tex)]));
        return `export default ${JSON.stringify(rendered)};`;
      } finally {
        await server.close();
      }
    },
  };
}
