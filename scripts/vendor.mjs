// @ts-check
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const require = createRequire(import.meta.url);

/**
 * Vite plugin, for builds of one file out per file in: a package that the library takes over is one module, `src/vendor/NAME.ts` to the
 * bundler and so `vendor/NAME.js` in `dist`. A folder `node_modules` there would be lost where people copy `dist`, and
 * CommonJS in many files weighs more.
 * @param {Readonly<Record<string, string>>} packages the package's name by NAME
 * @param {Readonly<Record<string, string>>} alias what stands for modules that the packages require
 * @returns {import('vite').Plugin}
 */
export function vendored(packages, alias) {
  const files = Object.entries(packages).map(([name, from]) => ({
    from,
    id: fileURLToPath(new URL(`../src/vendor/${name}.ts`, import.meta.url)),
  }));
  return {
    name: 'nonlin:vendored',
    apply: 'build',
    enforce: 'pre',
    resolveId(source) {
      return files.find(({ from }) => from === source)?.id ?? null;
    },
    async load(id) {
      const from = files.find((file) => file.id === id)?.from;
      if (from === undefined) return null;
      const result = await build({
        configFile: false,
        logLevel: 'error',
        publicDir: false,
        resolve: { alias: { ...alias } },
        build: {
          write: false,
          target: 'es2022',
          minify: true,
          lib: { entry: require.resolve(from), formats: ['es'], fileName: 'index' },
        },
      });
      const [one] = /** @type {import('vite').Rolldown.RolldownOutput[]} */ (
        Array.isArray(result) ? result : [result]
      );
      if (one?.output.length !== 1) throw new Error(`${from}: not one file`);
      const [chunk] = one.output;
      const notices = await readFile(new URL('../THIRD-PARTY-NOTICES.md', import.meta.url), 'utf8');
      const unnamed = chunk.moduleIds
        .flatMap((module) => /node_modules\/(@[^/]+\/[^/]+|[^/]+)\//.exec(module)?.[1] ?? [])
        .filter((name) => !notices.includes(`\`${name}\``));
      if (unnamed.length > 0) throw new Error(`THIRD-PARTY-NOTICES.md: no ${unnamed.join(', ')}`);
      const notice = `/*! ${from}, Apache-2.0: THIRD-PARTY-NOTICES.md of nonlin */\n`;
      return { code: notice + chunk.code, moduleType: 'js' };
    },
  };
}
