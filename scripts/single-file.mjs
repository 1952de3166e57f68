// @ts-check
/** Makes dist/nonlin.min.js of dist: everything in one module, for pages without a bundler. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
/** @type {unknown} */
const json = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
const { version, license } = /** @type {{ version: string, license: string }} */ (json);

await build({
  configFile: false,
  root,
  logLevel: 'warn',
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: false,
    lib: { entry: 'dist/index.js', formats: ['es'], fileName: () => 'nonlin.min.js' },
    rolldownOptions: {
      // only Node asks for it
      external: ['webgpu', /^node:/],
      output: {
        // Vite's own option leaves the blanks of a library's ES modules
        minify: true,
        postBanner: `/*! nonlin ${version}, ${license}; THIRD-PARTY-NOTICES.md */`,
      },
    },
  },
});
