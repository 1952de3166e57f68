// Adding an activation is two files and a line in each of two barrels: a made-up one, added to a copy of the sources, is everywhere.
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Documented } from '../../src/define/op.ts';
import type * as Nonlin from '../../src/index.ts';
import type { Tensor } from '../../src/index.ts';
import type * as Docs from '../../scripts/docs-pages.ts';
import type * as DemoData from '../../demo/training/activations.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const SHADER = `// x^2 above 0, else 0, times scale.
fn forward(x: f32, p: Params) -> f32 { return select(0.0, p.scale * x * x, x > 0.0); }
fn backward(x: f32, grad_output: f32, p: Params) -> f32 {
  return select(0.0, 2.0 * p.scale * x * grad_output, x > 0.0);
}
`;
const DECLARATION = `import wgsl from '../../shaders/activations/made-up.wgsl?raw';
import { defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

export const madeUp = /* @__PURE__ */ defineActivation({
  name: 'madeUp',
  wgsl,
  params: { scale: 1 },
  forward: (x, { scale }) => (x > 0 ? scale * x * x : 0),
  backward: (x, gradOutput, { scale }) => (x > 0 ? 2 * scale * x * gradOutput : 0),
  accuracy: { forward: 2, backward: 2 },
  docs: { tex: 's x^2', cite: 'nobody', use: 'Never.' },
});

export class MadeUp extends /* @__PURE__ */ activationModule(madeUp) {}
`;

/** Files of CONTRIBUTING.md: each block behind the path that it is for. */
const GUIDE = [
  ...readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').matchAll(
    /`((?:shaders|src)\/[\w./-]+)`:\n\n```(?:js|wgsl)\n([^]*?)```/g,
  ),
].map(([, path = '', text = '']) => ({ path, text }));

/** What is added to existing files. */
const BARRELS = {
  'src/ops.ts': "export { madeUp } from './activations/made-up.ts';\n",
  'src/nn/modules.ts': "export { MadeUp } from '../activations/made-up.ts';\n",
};

type Op = (x: Tensor, options?: object) => Tensor;

let folder: string;
let server: ViteDevServer;
let nonlin: typeof Nonlin;
let catalog: readonly Documented[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nonlin-new-op-'));
  for (const part of ['src', 'shaders', 'scripts', 'demo', '.prettierrc.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'shaders/activations/made-up.wgsl'), SHADER);
  writeFileSync(join(folder, 'src/activations/made-up.ts'), DECLARATION);
  for (const [barrel, line] of Object.entries(BARRELS)) appendFileSync(join(folder, barrel), line);
  for (const { path, text } of GUIDE) {
    if (path in BARRELS) appendFileSync(join(folder, path), text);
    else writeFileSync(join(folder, path), text);
  }
  server = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    resolve: { alias: { nonlin: join(folder, 'src/index.ts') } },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  nonlin = await load<typeof Nonlin>('src/index.ts');
  ({ catalog } = await load<{ catalog: readonly Documented[] }>('src/catalog.ts'));
}, 60_000);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const load = async <T>(path: string): Promise<T> =>
  (await server.ssrLoadModule(join(folder, path))) as T;

test('it is a function that runs, with its gradient', async () => {
  const device = await nonlin.init({ backend: 'cpu' });
  const x = nonlin.tensor([-1, 3], { device, requiresGrad: true });
  const y = (Reflect.get(nonlin, 'madeUp') as Op)(x, { scale: 2 });
  y.backward(nonlin.tensor([1, 1], { device }));
  expect(await y.array()).toEqual([0, 18]);
  expect(await x.grad?.array()).toEqual([0, 12]);
});

test('it is a module', async () => {
  const device = await nonlin.init({ backend: 'cpu' });
  const MadeUp = Reflect.get(nonlin.nn, 'MadeUp') as new (options: object) => Nonlin.nn.Module;
  const y = new MadeUp({ scale: 3 }).forward(nonlin.tensor([2], { device }));
  expect(await y.array()).toEqual([12]);
});

test('it is in the catalog and the docs', async () => {
  expect(catalog.map(({ op }) => op)).toContain('madeUp');
  const { docsPages } = await load<typeof Docs>('scripts/docs-pages.ts');
  const text = (await docsPages(catalog)).map((page) => page.text).join('\n');
  expect(text).toContain('## madeUp');
  expect(text).toContain('[`madeUp`](#madeup)');
});

test('it is in the data of the demo', async () => {
  const device = await nonlin.init({ backend: 'cpu' });
  const { findActivations } = await load<typeof DemoData>('demo/training/activations.ts');
  const found = (await findActivations(device)).find(({ op }) => op === 'madeUp');
  expect(found?.use).toBe('Never.');
  expect(found?.curve?.y.some((value) => value > 0)).toBe(true);
});

test.each(Object.keys(BARRELS))('each op is one line in %s', (path) => {
  const barrel = readFileSync(join(folder, path), 'utf8');
  const before = readFileSync(join(root, path), 'utf8');
  const added = barrel.slice(before.length).trim().split('\n');
  expect(added.filter((line) => line.includes('made-up'))).toHaveLength(1);
  expect(added.length).toBe(1 + GUIDE.filter((one) => one.path === path).length);
});

test('what CONTRIBUTING.md says makes an activation and a loss', async () => {
  expect(GUIDE.map(({ path }) => path)).toEqual([
    'shaders/activations/signed-square.wgsl',
    'src/activations/signed-square.ts',
    'src/ops.ts',
    'src/nn/modules.ts',
    'shaders/losses/half-squared.wgsl',
    'src/losses/half-squared-loss.ts',
    'src/ops.ts',
    'src/nn/modules.ts',
  ]);
  const device = await nonlin.init({ backend: 'cpu' });
  const x = nonlin.tensor([-2, 3], { device, requiresGrad: true });
  const y = (Reflect.get(nonlin, 'signedSquare') as Op)(x);
  expect(await y.array()).toEqual([-4, 9]);
  const HalfSquaredLoss = Reflect.get(nonlin.nn, 'HalfSquaredLoss') as new () => Nonlin.nn.Module;
  const loss = new HalfSquaredLoss().forward(y, nonlin.tensor([0, 8], { device }));
  loss.backward();
  expect(await loss.item()).toBe(4.25);
  // (y - target) / 2 times 2 |x|
  expect(await x.grad?.array()).toEqual([-8, 3]);
  const checks = await Promise.all(
    ['signedSquare', 'halfSquaredLoss'].map((name) =>
      nonlin.checkGradient(Reflect.get(nonlin, name) as typeof nonlin.gelu, { device }),
    ),
  );
  expect(checks.map(({ ok }) => ok)).toEqual([true, true]);
});
