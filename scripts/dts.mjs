// @ts-check
/**
 * Emits the declarations of src/ into dist/ and names their imports `.js`: TypeScript
 * rewrites `.ts` extensions in JavaScript only, and not every consumer's compiler
 * accepts them in a declaration file.
 */
import { spawnSync } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const run = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (run.status !== 0) process.exit(run.status ?? 1);

const dist = join(root, 'dist');
for (const name of await readdir(dist, { recursive: true })) {
  if (!name.endsWith('.d.ts')) continue;
  const path = join(dist, name);
  const text = await readFile(path, 'utf8');
  const renamed = text.replace(
    /((?:\bfrom|\bimport)\s*\(?\s*)(['"])(\.{1,2}\/[^'"]*)\.ts\2/g,
    '$1$2$3.js$2',
  );
  // no consumer has typings for shader imports
  if (/['"][^'"\n]*\.wgsl/.test(renamed)) throw new Error(`${name} imports a shader`);
  if (renamed !== text) await writeFile(path, renamed);
}
