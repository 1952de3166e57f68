// @ts-check
/**
 * Emits the declarations of src/ into dist/, those that an entry of the package leads to, and names their imports `.js`:
 * TypeScript rewrites `.ts` extensions in JavaScript only, and not every consumer's compiler accepts them in a
 * declaration file. Puts in what editors show of errors and options.
 */
import { spawnSync } from 'node:child_process';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { optionDocs, withOptionDocs } from './option-docs.mjs';
import { withThrows } from './throws.mjs';

const IMPORT = /((?:\bfrom|\bimport)\s*\(?\s*)(['"])(\.{1,2}\/[^'"]*)\.ts\2/g;

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const run = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (run.status !== 0) process.exit(run.status ?? 1);

const config = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), undefined, {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: () => undefined,
});
const sources = ts.createProgram(
  ['src/index.ts', 'src/kernels.ts'].map((path) => join(root, path)),
  config?.options ?? {},
);
const ofFunctions = optionDocs(sources, join(root, 'src/index.ts'));
const ofKernels = optionDocs(sources, join(root, 'src/kernels.ts'));

/** @type {unknown} */
const json = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const { exports: entries } =
  /** @type {{ exports: Record<string, string | { types: string }> }} */ (json);
const reached = new Set(
  Object.values(entries).flatMap((entry) =>
    typeof entry === 'string' ? [] : [join(root, entry.types)],
  ),
);
// a set's loop also comes to what is added on the way
for (const path of reached) {
  const text = await readFile(path, 'utf8');
  for (const [, , , name = ''] of text.matchAll(IMPORT)) {
    reached.add(join(dirname(path), `${name}.d.ts`));
  }
  const renamed = text
    .replace(IMPORT, '$1$2$3.js$2')
    // the default of a parameter that compilers before TypeScript 5.7 do not know
    .replace(/\b(\w+Array|DataView)<ArrayBufferLike>/g, '$1');
  // no consumer has typings for shader imports
  if (/['"][^'"\n]*\.wgsl/.test(renamed)) throw new Error(`${path} imports a shader`);
  const docs = path === join(root, 'dist/kernels.d.ts') ? ofKernels : ofFunctions;
  const whole = withThrows(path, withOptionDocs(renamed, docs));
  if (whole !== text) await writeFile(path, whole);
}

const dist = join(root, 'dist');
for (const name of await readdir(dist, { recursive: true })) {
  const path = join(dist, name);
  if (name.endsWith('.d.ts') && !reached.has(path)) await rm(path);
}
