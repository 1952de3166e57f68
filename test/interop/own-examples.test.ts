// The examples as their readers get them: copied, with the packed package beside them, bundled where they are apps, and run.
import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import erfc from '@stdlib/math-base-special-erfc';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findSwiftShader } from '../../scripts/vulkan.mjs';
import { node, root, tool } from '../package/run.ts';
import { build, litPixels, numbersOf, serve, type Pages, type Point } from '../package/serve.ts';
import { WITH_OTHERS } from './names.mjs';

let work: string;
let pages: Pages;

beforeAll(async () => {
  work = join(inject('work'), 'own-examples');
  await cp(join(root, 'examples'), work, { recursive: true });
  await cp(join(inject('work'), 'installed', 'node_modules'), join(work, 'node_modules'), {
    recursive: true,
  });
  await writeFile(join(work, 'package.json'), '{"private":true,"type":"module"}');
  // what the examples need besides, as this repository has it
  for (const name of ['webgpu', '@webgpu']) {
    await cp(tool(name), join(work, 'node_modules', name), { recursive: true });
  }
  pages = await serve(work);
});

afterAll(() => pages.close());

describe('examples', () => {
  const tested = [
    'vite-trainer',
    'plain-html',
    'pytorch-checkpoint',
    'own-module',
    'own-encoder',
    'worker',
    'node-webgpu',
    'deno',
  ];

  it('are all tested here', async () => {
    const entries = await readdir(join(root, 'examples'), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(folders.sort()).toEqual([...tested, ...WITH_OTHERS].sort());
  });

  it('check against the types of the package', async () => {
    const apps = [
      'vite-trainer',
      'pytorch-checkpoint',
      'own-module',
      'own-encoder',
      'worker',
      'deno',
    ];
    await writeFile(
      join(work, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          lib: ['ES2023', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
          module: 'ESNext',
          moduleResolution: 'bundler',
          // TypeScript's own library has no GPUBufferUsage
          types: ['@webgpu/types'],
          skipLibCheck: true, // the two do not agree
          strict: true,
          noUncheckedIndexedAccess: true,
          verbatimModuleSyntax: true,
          noEmit: true,
        },
        include: apps.map((name) => `${name}/*.ts`),
      }),
    );
    await node(tool('typescript/bin/tsc'), ['-p', '.'], work);
  });

  it('vite-trainer learns', async () => {
    const text = await pages.open(await build(work, 'vite-trainer'));
    expect(text).toMatch(/^done on webgpu: (19\d|200) of 200 right; [\d.]+ .B: /);
  });

  it('plain-html loads the package from a CDN by an import map', async () => {
    const cdn = 'https://cdn.jsdelivr.net/npm/nonlin@0.1.0/';
    const from = { [cdn]: join(work, 'node_modules/nonlin') };
    expect(await pages.open('plain-html/index.html', { from })).toBe(
      'done on webgpu: probabilities 0.6590 0.2424 0.0986, loss 0.4170, gradient -0.3410 0.2424 0.0986',
    );
  });

  it("pytorch-checkpoint gets PyTorch's results", async () => {
    const text = await pages.open(await build(work, 'pytorch-checkpoint'));
    const [, worst = 'NaN'] = /^done on webgpu: at most (\S+) off PyTorch 1\.13/.exec(text) ?? [];
    expect(Number(worst), text).toBeLessThan(1e-6);
  });

  it('own-module learns, and has names', async () => {
    const text = await pages.open(await build(work, 'own-module'));
    expect(text).toMatch(/^done on webgpu: loss 0\.0\d+; 14 tensors: towers\.left\.0\.weight /);
    expect(text).toContain('towers.right.1.scale towers.right.1.fc.weight');
  });

  it('own-encoder computes and draws in one submit', async () => {
    let lit: Point[] = [];
    const text = await pages.open(await build(work, 'own-encoder'), {
      after: async (page) => {
        lit = await litPixels(page);
      },
    });
    const values = numbersOf(text);
    expect(values).toHaveLength(64);
    for (const [i, value] of values.entries()) {
      const x = i / 8 - 4;
      expect(value).toBeCloseTo((x * erfc(-x / Math.SQRT2)) / 4, 6);
    }
    // the line that is drawn, in 256 pixels: 0 in the middle, y = 2 at the right end is half of what is above
    const heights = new Map(lit.map(({ x, y }) => [x, y]));
    expect(heights.size).toBeGreaterThan(240);
    expect(heights.get(4)).toBeCloseTo(128, -0.5);
    expect(heights.get(250)).toBeCloseTo(128 - 62, -0.5);
  });

  it('worker learns beside the page', async () => {
    const text = await pages.open(await build(work, 'worker'));
    const losses = text.replace('done: losses ', '').split(' ').map(Number);
    expect(losses).toHaveLength(11);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 10);
  });

  it.each(['cpu', 'webgpu'])('node-webgpu learns: %s', async (backend) => {
    // Dawn asks more of a driver than older Mesa has
    const driver = findSwiftShader();
    const env = driver ? { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver } : {};
    const text = await node('main.mjs', [backend], join(work, 'node-webgpu'), env);
    expect(text).toMatch(new RegExp(`^${backend}: `));
    const losses = [...text.matchAll(/loss (\S+)/g)].map(([, loss]) => Number(loss));
    expect(losses).toHaveLength(5);
    expect(losses.at(-1)).toBeLessThan(0.01);
    expect(text).toMatch(/of tensors in \d+ buffers/);
  });

  it('deno runs', async () => {
    const folder = join(work, 'deno');
    // as after `deno install`, without the network
    await writeFile(
      join(folder, 'deno.json'),
      JSON.stringify({ imports: { nonlin: '../node_modules/nonlin/dist/index.js' } }),
    );
    const args = ['run', '--no-remote', '--unstable-webgpu', 'main.ts'];
    const env = { DENO_NO_UPDATE_CHECK: '1', DENO_DIR: join(work, 'deno-cache') };
    const text = await node(tool('deno/bin.cjs'), args, folder, env);
    expect(text).toMatch(/^(cpu|webgpu): .*\nloss 0\.4170\n-0\.34/);
  });
});
