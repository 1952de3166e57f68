// @ts-check
/**
 * Runs a TypeScript program in Node with the demo's Vite config, so that it can import the
 * sources, shaders (`*.wgsl?raw`) included: `node scripts/run-ts.mjs demo/cli/digits-cli.ts --epochs 2`.
 * The program finds its own arguments in `process.argv.slice(2)`.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const [program, ...args] = process.argv.slice(2);
if (!program) {
  console.error('usage: node scripts/run-ts.mjs PROGRAM.ts [ARGUMENT...]');
  process.exit(2);
}
process.argv.splice(1, process.argv.length - 1, resolve(program), ...args);

const server = await createServer({
  configFile: fileURLToPath(new URL('../demo/vite.config.ts', import.meta.url)),
  logLevel: 'warn',
  appType: 'custom',
  // nothing is served and nothing is watched: Vite only loads modules here
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true, include: [] },
});
try {
  await server.ssrLoadModule(resolve(program));
} finally {
  await server.close();
}
