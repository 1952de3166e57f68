// @ts-check
/**
 * What apps weigh, and what of the library weighs most in them.
 *
 *   npm run size                    gzipped bytes of each app
 *   npm run size -- all             one app: by folder, JavaScript and shaders apart
 *   npm run size -- all --modules   by module
 *
 * It builds with esbuild from dist, so `npm run build` comes first. Minified bytes of a module are those in the bundle. Its
 * gzipped bytes are what the bundle would weigh less without its text: repeated text weighs little, so they do not add
 * up to the whole.
 */
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, transform } from 'esbuild';
import { APPS } from './size-apps.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param {string} text */
const gzipped = (text) => gzipSync(text, { level: 9 }).length;

/** @param {number} bytes */
const kB = (bytes) => (bytes / 1000).toFixed(2).padStart(8);

/**
 * @param {string} source
 * @param {import('esbuild').BuildOptions} minify
 */
async function bundle(source, minify) {
  const { outputFiles = [] } = await build({
    stdin: { contents: source, resolveDir: root, sourcefile: 'app.js' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['webgpu', 'node:*'],
    write: false,
    logLevel: 'silent',
    // that of the repository leads to the sources
    tsconfigRaw: {},
    ...minify,
  });
  return outputFiles.map(({ text }) => text).join('\n');
}

/**
 * The minified text of each module. Blanks are taken out module by module, as the comments that tell modules apart would go with
 * them.
 * @param {string} source
 */
async function modulesOf(source) {
  const text = await bundle(source, { minifySyntax: true, minifyIdentifiers: true });
  const parts = text.split(/^\/\/ (dist\/\S+|app\.js)$/m).slice(1);
  /** @type {Map<string, string>} */
  const modules = new Map();
  for (let i = 0; i < parts.length; i += 2) {
    const { code } = await transform(parts[i + 1] ?? '', { minifyWhitespace: true });
    modules.set((parts[i] ?? '').replace(/^dist\//, ''), code);
  }
  return modules;
}

/**
 * @param {ReadonlyMap<string, string>} modules
 * @param {(module: string) => string} groupOf
 */
function table(modules, groupOf) {
  const whole = gzipped([...modules.values()].join(''));
  const rows = [...new Set([...modules.keys()].map(groupOf))].map((group) => {
    const inside = [...modules].filter(([name]) => groupOf(name) === group);
    const others = [...modules].filter(([name]) => groupOf(name) !== group);
    return {
      group,
      count: inside.length,
      bytes: inside.reduce((sum, [, text]) => sum + text.length, 0),
      less: whole - gzipped(others.map(([, text]) => text).join('')),
    };
  });
  console.log(`${'minified'.padStart(8)} ${'gzipped'.padStart(8)}  modules`);
  for (const { group, count, bytes, less } of rows.sort((a, b) => b.less - a.less)) {
    console.log(`${kB(bytes)} ${kB(less)}  ${String(count).padStart(4)} ${group}`);
  }
}

/** @param {string} module */
function folderOf(module) {
  const shader = module.startsWith('shaders/');
  const path = module.split('/').filter((part) => part !== '..');
  const from = path[0] === 'shaders' ? 1 : 0;
  const folder = path.slice(from, path[from] === 'kernels' ? from + 2 : from + 1).join('/');
  const name = path.length > from + 1 ? folder : '(root)';
  return `${shader ? 'shaders of' : 'JavaScript of'} ${name}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { modules: { type: 'boolean', default: false } },
});
const wanted = Object.entries(APPS).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
if (wanted.length === 0) throw new Error(`apps are ${Object.keys(APPS).join('; ')}`);
for (const [name, source] of wanted) {
  const text = await bundle(source, { minify: true });
  const without = await bundle(source, { minify: true, define: { __NONLIN_CPU__: 'false' } });
  const webgpuOnly = `${kB(gzipped(without))} without the CPU path`;
  console.log(
    `${kB(gzipped(text))} kB gzipped, ${webgpuOnly}, ${kB(text.length)} minified: ${name}`,
  );
  if (positionals.length === 0) continue;
  const modules = await modulesOf(source);
  const kind = (/** @type {string} */ module) =>
    module.startsWith('shaders/') ? 'WGSL' : 'JavaScript';
  table(modules, kind);
  table(modules, values.modules ? (module) => module : folderOf);
}
