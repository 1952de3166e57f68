/**
 * The package as its users get it: packed, installed into an empty app, bundled, run.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build as esbuild } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minifyWgsl } from '../../scripts/wgsl-minify.mjs';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const tool = (path: string) => join(root, 'node_modules', path);

/** Folders under shaders/ whose files serve several ops. */
const SHARED = ['lib', 'kernels', 'software'];
const kB = 1000;

/** Apps of planOf, in kB gzipped by esbuild. What relu needs: plans and WGSL of elements, the linker, checks with their messages. */
const KERNEL_SIZES = { relu: 11.4, softmax: 26.5, crossEntropy: 35.5 };

let work: string;
let tarball: string;
let packed: string[];

interface Failure {
  stdout?: string;
  stderr?: string;
}

/** Runs a program; its output is part of the error if it fails. */
async function run(file: string, args: string[], cwd: string): Promise<string> {
  // the test runner's own variables (NODE_ENV=test, VITEST) are none of the app's business
  const { NODE_ENV: _env, VITEST: _vitest, ...env } = process.env;
  try {
    const { stdout } = await execute(file, args, { cwd, env, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as Failure;
    throw new Error(`${basename(file)} ${args.join(' ')} failed\n${stdout}\n${stderr}`, {
      cause: error,
    });
  }
}

const node = (script: string, args: string[], cwd: string) =>
  run(process.execPath, [script, ...args], cwd);

const npm = (args: string[], cwd: string) =>
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, cwd);

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Makes a Vite app with the package installed, and the given files. */
async function makeApp(name: string, files: Record<string, string>): Promise<string> {
  const app = join(work, name);
  await mkdir(app, { recursive: true });
  await cp(join(work, 'installed', 'node_modules'), join(app, 'node_modules'), {
    recursive: true,
  });
  await writeFile(
    join(app, 'package.json'),
    JSON.stringify({ name, private: true, type: 'module', dependencies: { nonlin: '*' } }),
  );
  for (const [path, text] of Object.entries(files)) await writeFile(join(app, path), text);
  return app;
}

/** Builds the app for production; the JavaScript files that come out. */
async function buildApp(app: string): Promise<{ path: string; text: string }[]> {
  await writeFile(
    join(app, 'index.html'),
    '<!doctype html><script type="module" src="./main.js"></script>\n',
  );
  await writeFile(
    join(app, 'vite.config.js'),
    // the polyfill is for browsers, and the same app runs in Node below
    'export default { build: { target: "es2022", modulePreload: { polyfill: false } } };\n',
  );
  // Vite itself comes from this repository: nothing is downloaded
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

const gzipped = (files: { text: string }[]) =>
  files.reduce((sum, { text }) => sum + gzipSync(text, { level: 9 }).length, 0);

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

beforeAll(async () => {
  if (!existsSync(join(root, 'dist', 'index.js'))) await npm(['run', 'build'], root);
  work = await mkdtemp(join(tmpdir(), 'nonlin-package-'));
  const out = await npm(['pack', '--json', '--pack-destination', work], root);
  const [info] = JSON.parse(out) as { filename: string; files: { path: string }[] }[];
  if (info === undefined) throw new Error(`npm pack said: ${out}`);
  tarball = join(work, info.filename);
  packed = info.files.map(({ path }) => path).sort();

  const installed = join(work, 'installed');
  await mkdir(installed);
  await writeFile(join(installed, 'package.json'), '{"private":true,"type":"module"}');
  // no dependencies, so nothing has to come over the network
  await npm(['install', '--offline', '--no-audit', '--no-fund', tarball], installed);
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

describe('tarball', () => {
  it('has the wanted files and no others', () => {
    const rest = packed.filter((path) => !/^dist\/.+\.(?:js|js\.map|d\.ts)$/.test(path));
    expect(rest).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    expect(packed).toContain('dist/index.js');
    expect(packed).toContain('dist/index.d.ts');
  });

  it('brings no other package along', async () => {
    const names = await readdir(join(work, 'installed', 'node_modules'));
    expect(names.filter((name) => !name.startsWith('.'))).toEqual(['nonlin']);
  });

  it('pleases publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: root, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('pleases attw (ESM only)', async () => {
    const attw = tool('@arethetypeswrong/cli/dist/index.js');
    await node(attw, [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'], work);
  });
});

describe('types', () => {
  it.each([
    ['bundler', 'ESNext'],
    ['nodenext', 'NodeNext'],
  ])('check in a strict app with moduleResolution %s', async (moduleResolution, module) => {
    const app = await makeApp(`types-${moduleResolution}`, {
      'main.ts': [
        "import { init, relu, tensor } from 'nonlin';",
        "import { planOf, softmax } from 'nonlin/kernels';",
        'const plan = planOf(softmax, { shape: [4, 8], options: { dim: 1 } });',
        '// @ts-expect-error a dimension is needed',
        'planOf(softmax, { shape: [4, 8] });',
        "const device = await init({ backend: 'cpu' });",
        'const y = relu(tensor([-1, 2]));',
        'const data: Float32Array | Int32Array = await y.data();',
        '// @ts-expect-error a string is no tensor',
        "relu('x');",
        'export { data, device, plan };',
      ].join('\n'),
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2023', 'DOM', 'ESNext.Disposable'],
          module,
          moduleResolution,
          types: [],
          strict: true,
          noEmit: true,
          // the package's declarations are what is checked here
          skipLibCheck: false,
        },
        files: ['main.ts'],
      }),
    });
    await node(tool('typescript/bin/tsc'), ['-p', '.'], app);
  });
});

describe('an app with one op', () => {
  let files: { path: string; text: string }[];
  let app: string;
  beforeAll(async () => {
    app = await makeApp('one', {
      'main.js': [
        "import { init, relu, tensor } from 'nonlin';",
        "globalThis.device = await init({ backend: 'cpu' });",
        'const y = relu(tensor([-1, 2]));',
        'console.log(JSON.stringify(Array.from(await y.data())));',
      ].join('\n'),
    });
    files = await buildApp(app);
  });

  it('is at most 21.7 kB gzipped for the op itself: tensors, gradients, CPU path, shader', async () => {
    // 13.4 before sums past the binding limit (3), whole backward passes and checked gradients (1), refusals of data (1), what a captured step hears (0.3), reads that are checked (0.3), and what functions share with plans of nonlin/kernels (0.2).
    const source = "import { relu } from 'nonlin';\nglobalThis.relu = relu;\n";
    const size = gzipped(await buildApp(await makeApp('op', { 'main.js': source })));
    console.log(`one op: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(21.7 * kB);
  });

  it('is at most 37.7 kB gzipped with init() and so the WebGPU device', () => {
    // 21.9 before those, failures of single tensors (4), devices of few storage buffers (2), init's own refusals (1) and callers' encoders
    // that read each other's results (0.4), and what a captured step hears (0.6).
    const size = gzipped(files);
    console.log(`one op and both devices: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(37.7 * kB);
  });

  it("holds no other op's shader", async () => {
    const bundle = files.map(({ text }) => text).join('\n');
    const markers = await shaderMarkers();
    const inside = markers.filter(({ text }) => bundle.includes(text)).map(({ file }) => file);
    expect(markers.length).toBeGreaterThan(1);
    // its own is there, so the markers do find what is there
    expect(inside.map((file) => basename(file))).toEqual(['relu.wgsl']);
  });

  it('runs in Node on the CPU path', async () => {
    const entry = files.find(({ path }) => basename(path).startsWith('index-'));
    expect(entry).toBeDefined();
    const out = await node(entry?.path ?? '', [], app);
    expect(JSON.parse(out)).toEqual([0, 2]);
  });
});

it('an app with attention is at most 53.5 kB gzipped with init()', async () => {
  // 16 more than one op: tiles and rows, forward and backward, sums of gradients over what is broadcast. 0.3 of it are reads typed
  // by rank and dtype, a device's memory in words, and tensors that take another dtype in place.
  const source = [
    "import { init, scaledDotProductAttention, tensor } from 'nonlin';",
    'globalThis.parts = { init, scaledDotProductAttention, tensor };',
  ].join('\n');
  const size = gzipped(await buildApp(await makeApp('attention', { 'main.js': source })));
  console.log(`attention and both devices: ${(size / kB).toFixed(1)} kB gzipped`);
  expect(size).toBeLessThanOrEqual(53.5 * kB);
});

describe('a trainer: Linear, ReLU, CrossEntropyLoss, Adam', () => {
  const main = (imports: string[]) => [
    ...imports,
    'await init();',
    'const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 2));',
    'const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });',
    'const output = model.forward(tensor([[0, 1]]));',
    'const loss = new nn.CrossEntropyLoss().forward(output, tensor([1], { dtype: "int32" }));',
    'loss.backward();',
    'optimizer.step();',
  ];
  const root = main(["import { init, nn, optim, tensor } from 'nonlin';"]).join('\n');
  const entries = main([
    "import { init, tensor } from 'nonlin';",
    "import * as nn from 'nonlin/nn';",
    "import * as optim from 'nonlin/optim';",
  ]).join('\n');

  it.each([
    ['nonlin', root],
    ['nonlin/nn, nonlin/optim', entries],
  ])('is at most 73 kB gzipped by Vite, from %s', async (from, source) => {
    const name = `trainer-${String(from.length)}`;
    const size = gzipped(await buildApp(await makeApp(name, { 'main.js': source })));
    console.log(`trainer from ${from}: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(73 * kB);
  });

  it('is at most 75 kB gzipped by esbuild, from the entries', async () => {
    const app = await makeApp('trainer-esbuild', { 'main.js': entries });
    const { outputFiles } = await esbuild({
      absWorkingDir: app,
      entryPoints: ['main.js'],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      external: ['webgpu', 'node:*'],
      write: false,
    });
    const size = gzipped(outputFiles);
    console.log(`trainer by esbuild: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(75 * kB);
  });
});

describe('an app of nonlin/kernels', () => {
  it.each([
    ['relu', '{ shape: [4] }', KERNEL_SIZES.relu],
    ['softmax', '{ shape: [4, 8], options: { dim: 1 } }', KERNEL_SIZES.softmax],
    ['crossEntropy', '{ shape: [4, 8] }', KERNEL_SIZES.crossEntropy],
  ] as const)('with planOf(%s) stays small by esbuild', async (op, request, most) => {
    const app = await makeApp(`kernels-${op}`, {
      'main.js': [
        `import { planOf, ${op} } from 'nonlin/kernels';`,
        `const { forward } = planOf(${op}, ${request});`,
        'console.log(forward.launches.length);',
      ].join('\n'),
    });
    const { outputFiles } = await esbuild({
      absWorkingDir: app,
      entryPoints: ['main.js'],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      outfile: 'out.mjs',
      write: false,
    });
    const size = gzipped(outputFiles);
    console.log(`planOf(${op}) by esbuild: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(most * kB);
    await writeFile(join(app, 'out.mjs'), outputFiles[0]?.text ?? '');
    expect(Number(await node('out.mjs', [], app))).toBeGreaterThan(0);
  });
});

describe('an app with everything', () => {
  let files: { path: string; text: string }[];
  beforeAll(async () => {
    const app = await makeApp('all', {
      'main.js': "import * as nonlin from 'nonlin';\nglobalThis.nonlin = { ...nonlin };\n",
    });
    files = await buildApp(app);
  });

  it('is at most 250 kB gzipped', () => {
    // 37 kB is the foundation; an activation adds about 0.4, a loss 0.6 to 3, rows in chunks, windows and float16 9 in all, norms 16, attention 9, layers of transformers 4.
    const size = gzipped(files);
    console.log(`everything: ${(size / kB).toFixed(1)} kB gzipped`);
    expect(size).toBeLessThanOrEqual(250 * kB);
  });

  it("holds every op's shader", async () => {
    const bundle = files.map(({ text }) => text).join('\n');
    const missing = (await shaderMarkers()).filter(({ text }) => !bundle.includes(text));
    expect(missing).toEqual([]);
  });
});
