/**
 * What is published: its files, its fields, and how resolvers see it.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, inject, it } from 'vitest';
import { makeApp } from './app.ts';
import { node, root, tool } from './run.ts';

it('has the wanted files and no others', () => {
  const packed = inject('packed');
  const rest = packed.filter((path) => !/^dist\/.+\.(?:js|js\.map|d\.ts)$/.test(path));
  expect(rest).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'THIRD-PARTY-NOTICES.md',
    'package.json',
  ]);
  // people copy dist, and a folder of this name is lost then
  expect(packed.filter((path) => path.includes('node_modules'))).toEqual([]);
});

it('has the file of every entry and field', async () => {
  const text = await readFile(join(root, 'package.json'), 'utf8');
  const paths = [...text.matchAll(/"(?:\.\/)?(dist\/[^"]+)"/g)].map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(5);
  expect(inject('packed')).toEqual(expect.arrayContaining(paths));
});

it('has each entry for resolvers that know no exports too', async () => {
  const { exports, typesVersions, alias } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  ) as {
    exports: Record<string, string | { types: string; default: string }>;
    typesVersions: Record<string, Record<string, string[]>>;
    alias: Record<string, string>;
  };
  const types: Record<string, string[]> = {};
  const files: Record<string, string> = {};
  for (const [name, entry] of Object.entries(exports)) {
    if (name === '.' || typeof entry === 'string') continue;
    types[name.slice(2)] = [entry.types.slice(2)];
    files[name] = entry.default;
  }
  // TypeScript's node10
  expect(typesVersions).toEqual({ '*': types });
  // Parcel
  expect(alias).toEqual(files);
});

it('is required by CommonJS', async () => {
  const app = await makeApp('commonjs', {
    'main.cjs': `
const { relu, tensor } = require('nonlin');
const { Linear } = require('nonlin/nn');
relu(tensor([-1, 2])).array().then((array) => {
  console.log(JSON.stringify([array, new Linear(2, 3).parameters().length]));
});
`,
  });
  expect(JSON.parse(await node('main.cjs', [], app))).toEqual([[0, 2], 2]);
});

it('brings no other package along', async () => {
  const names = await readdir(join(inject('work'), 'installed', 'node_modules'));
  expect(names.filter((name) => !name.startsWith('.'))).toEqual(['nonlin']);
});

it('pleases publint', async () => {
  const { messages, pkg } = await publint({ pkgDir: root, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

it('pleases attw, for every entry: the files are ES modules, and nothing else is amiss', async () => {
  const attw = tool('@arethetypeswrong/cli/dist/index.js');
  const args = ['--ignore-rules', 'cjs-resolves-to-esm', '--no-color', '--no-emoji'];
  await node(attw, [inject('tarball'), ...args], root);
});
