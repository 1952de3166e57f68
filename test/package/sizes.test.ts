/**
 * What apps weigh, by two bundlers: each op costs itself, not the library.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { APPS } from '../../scripts/size-apps.mjs';
import { minifyWgsl } from '../../scripts/wgsl-minify.mjs';
import {
  byEsbuild,
  byVite,
  filesBelow,
  gzipped,
  makeApp,
  WEBGPU_ONLY,
  type Output,
} from './app.ts';
import { node, root } from './run.ts';

/** Folders under shaders/ whose files serve several ops. */
const SHARED = ['lib', 'kernels', 'software'];
const kB = 1000;

/** Statements of a shader; they stand in a bundle as they are. */
const statements = (wgsl: string) =>
  minifyWgsl(wgsl)
    .split('\n')
    .filter((line) => !line.startsWith('//#'))
    .flatMap((line) => line.split(/[;{}]/))
    .map((statement) => statement.trim())
    .filter((statement) => statement.length >= 12);

interface Marker {
  readonly file: string;
  readonly text: string;
}

/** For each op's shader a statement that no other shader has; the longest such. */
async function shaderMarkers(): Promise<Marker[]> {
  const folder = join(root, 'shaders');
  const names = (await filesBelow(folder)).filter((name) => name.endsWith('.wgsl'));
  const shaders = await Promise.all(
    names.map(async (name) => ({ name, wgsl: await readFile(join(folder, name), 'utf8') })),
  );
  const minified = shaders.map(({ name, wgsl }) => ({ name, text: minifyWgsl(wgsl) }));
  return shaders
    .filter(({ name }) => name.includes('/') && !SHARED.includes(name.split('/')[0] ?? ''))
    .flatMap(({ name, wgsl }) => {
      const own = statements(wgsl)
        .filter((s) => !minified.some((other) => other.name !== name && other.text.includes(s)))
        .sort((a, b) => b.length - a.length)[0];
      return own === undefined ? [] : [{ file: name, text: own }];
    });
}

/** Of an app its most kB gzipped by Vite and by esbuild, and of the same without the CPU path. */
const MOST = [
  ['relu', [12.1, 12.7], [9.4, 9.9]],
  ['relu and init, so both devices', [37.6, 38.8], [35.6, 36.7]],
  ['crossEntropy', [30.6, 31.5], [26.9, 27.6]],
  ['attention and init', [53.7, 55.1], [50.6, 51.8]],
  // esbuild does not look into a namespace that is exported again: the app has all modules
  ['a trainer', [73.1, 230.6], [69.6, 216.6]],
  ['a trainer from nonlin/nn and nonlin/optim', [73.1, 75.2], [69.6, 71.6]],
  // one more activation is about 0.1 with its shader, one more loss 0.25 (medians); kernels are 100, WebGPU 17, shaders of all kinds 55
  ['all', [241, 248.4], [227.9, 234.2]],
] as const;

describe.each(MOST)('%s', (name, most, mostWithoutCpu) => {
  it.each([
    ['Vite', byVite, most[0], {}],
    ['esbuild', byEsbuild, most[1], {}],
    ['Vite, without the CPU path', byVite, mostWithoutCpu[0], WEBGPU_ONLY],
    ['esbuild, without the CPU path', byEsbuild, mostWithoutCpu[1], WEBGPU_ONLY],
  ] as const)(`weighs at most its kB gzipped by %s`, async (way, build, bound, define) => {
    const app = await makeApp(`size-${`${name}-${way}`.replaceAll(/\W+/g, '-')}`, {
      'main.js': APPS[name],
    });
    const size = gzipped(await build(app, define));
    console.log(`${name} by ${way}: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(bound * kB);
  });
});

describe('an app of nonlin/kernels', () => {
  // What relu needs: plans and WGSL of elements, the linker, checks with their messages.
  it.each([
    ['planOf(relu)', 9.7],
    ['planOf(softmax)', 24.4],
    ['planOf(crossEntropy)', 31.8],
  ] as const)('with %s stays small by esbuild, and runs', async (name, most) => {
    const app = await makeApp(`size-${name.replaceAll(/\W+/g, '-')}`, { 'main.js': APPS[name] });
    const outputs = await byEsbuild(app);
    const size = gzipped(outputs);
    console.log(`${name} by esbuild: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(most * kB);
    await writeFile(join(app, 'out.mjs'), outputs[0]?.text ?? '');
    expect(Number(await node('out.mjs', [], app))).toBeGreaterThan(0);
  });
});

describe('an app with one op', () => {
  const RELU = `
import { init, relu, tensor } from 'nonlin';
globalThis.device = await init({ backend: 'cpu' });
const y = relu(tensor([-1, 2]));
console.log(JSON.stringify(Array.from(await y.data())));
`;
  const build = async (name: string): Promise<{ app: string; files: Output[] }> => {
    const app = await makeApp(name, { 'main.js': RELU });
    return { app, files: await byVite(app) };
  };

  it("holds no other op's shader", async () => {
    const { files } = await build('one-shader');
    const bundle = files.map(({ text }) => text).join('\n');
    const markers = await shaderMarkers();
    const inside = markers.filter(({ text }) => bundle.includes(text)).map(({ file }) => file);
    expect(markers.length).toBeGreaterThan(1);
    // its own is there, so the markers do find what is there
    expect(inside.map((file) => basename(file))).toEqual(['relu.wgsl']);
  });

  it('runs in Node on the CPU path', async () => {
    const { app, files } = await build('one-in-node');
    const entry = files.find(({ path }) => basename(path).startsWith('index-'));
    expect(entry).toBeDefined();
    const out = await node(entry?.path ?? '', [], app);
    expect(JSON.parse(out)).toEqual([0, 2]);
  });
});

it("an app with everything holds every op's shader", async () => {
  const app = await makeApp('all-shaders', {
    'main.js': "import * as nonlin from 'nonlin';\nglobalThis.nonlin = { ...nonlin };\n",
  });
  const bundle = (await byVite(app)).map(({ text }) => text).join('\n');
  const missing = (await shaderMarkers()).filter(({ text }) => !bundle.includes(text));
  expect(missing).toEqual([]);
});
