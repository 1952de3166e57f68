// Apps with the package installed, and what bundlers make of them.
import { build as esbuild } from 'esbuild';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { inject } from 'vitest';
import { node, tool } from './run.ts';

export interface Output {
  readonly path: string;
  readonly text: string;
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Makes an app with the package installed, and the given files. */
export async function makeApp(name: string, files: Record<string, string>): Promise<string> {
  const app = join(inject('work'), name);
  await mkdir(app, { recursive: true });
  await cp(join(inject('work'), 'installed', 'node_modules'), join(app, 'node_modules'), {
    recursive: true,
  });
  await writeFile(
    join(app, 'package.json'),
    JSON.stringify({ name, private: true, type: 'module', dependencies: { nonlin: '*' } }),
  );
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(app, path)), { recursive: true });
    await writeFile(join(app, path), text);
  }
  return app;
}

/** What a bundler replaces in an app. */
export type Define = Readonly<Record<string, string>>;

/** Of an app without the CPU path. */
export const WEBGPU_ONLY: Define = { __NONLIN_CPU__: 'false' };

/** Builds main.js of the app for production; the JavaScript files that come out. */
export async function byVite(app: string, define: Define = {}): Promise<Output[]> {
  await writeFile(
    join(app, 'index.html'),
    '<!doctype html><script type="module" src="./main.js"></script>\n',
  );
  await writeFile(
    join(app, 'vite.config.js'),
    // the polyfill is for browsers, and the same app runs in Node too
    `export default {
  base: './',
  define: ${JSON.stringify(define)},
  build: { target: 'es2022', modulePreload: { polyfill: false } },
};\n`,
  );
  await node(tool('vite/bin/vite.js'), ['build', '--logLevel', 'warn'], app);
  const dist = join(app, 'dist');
  const names = (await filesBelow(dist)).filter((name) => name.endsWith('.js'));
  return Promise.all(
    names.map(async (name) => {
      const path = join(dist, name);
      return { path, text: await readFile(path, 'utf8') };
    }),
  );
}

/** The same by esbuild. */
export async function byEsbuild(app: string, define: Define = {}): Promise<Output[]> {
  const { outputFiles } = await esbuild({
    absWorkingDir: app,
    entryPoints: ['main.js'],
    outdir: 'built',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    // Node alone asks for them
    external: ['webgpu', 'node:*'],
    define: { ...define },
    write: false,
  });
  return outputFiles;
}

export const gzipped = (files: readonly Output[]) =>
  files.reduce((sum, { text }) => sum + gzipSync(text, { level: 9 }).length, 0);
