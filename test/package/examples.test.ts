// The examples as their readers get them: copied, with the packed package beside them, bundled where they are apps, and run.
import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchOptions } from '../../scripts/browser.mjs';
import { findSwiftShader } from '../../scripts/vulkan.mjs';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const tool = (path: string) => join(root, 'node_modules', path);

let work: string;
let server: Server;
let browser: Browser;
let address: string;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
};

/** Runs a program of an example in its folder; what it prints. */
async function run(
  file: string,
  args: readonly string[],
  cwd: string,
  more: NodeJS.ProcessEnv = {},
): Promise<string> {
  const { NODE_ENV: _env, VITEST: _vitest, ...env } = process.env;
  try {
    const { stdout } = await execute(file, args, { cwd, env: { ...env, ...more } });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${args.join(' ')} failed\n${stdout}\n${stderr}`, { cause: error });
  }
}

beforeAll(async () => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  if (!existsSync(join(root, 'dist', 'index.js'))) await run(npm, ['run', 'build'], root);
  work = await mkdtemp(join(tmpdir(), 'nonlin-examples-'));
  await cp(join(root, 'examples'), work, { recursive: true });
  const out = await run(npm, ['pack', '--json', '--pack-destination', work], root);
  const [info] = JSON.parse(out) as { filename: string }[];
  await writeFile(join(work, 'package.json'), '{"private":true,"type":"module"}');
  await run(
    npm,
    ['install', '--offline', '--no-audit', '--no-fund', join(work, info?.filename ?? '')],
    work,
  );
  // what the examples need besides, as this repository has it
  await cp(tool('webgpu'), join(work, 'node_modules/webgpu'), { recursive: true });
  server = createServer(({ url = '/' }, response) => {
    const path = join(work, decodeURIComponent(new URL(url, 'http://localhost').pathname));
    const file = extname(path) === '' ? join(path, 'index.html') : path;
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  address = `http://localhost:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch(launchOptions());
});

afterAll(async () => {
  await browser.close();
  server.close();
  await rm(work, { recursive: true, force: true });
});

/** Opens a page as on a machine with a GPU, and waits until it says that it is done. */
async function open(path: string): Promise<string> {
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  // the software adapter calls itself a GPU, as init() passes over others
  await page.addInitScript(() => {
    Object.defineProperty(GPUAdapter.prototype, 'info', {
      get: () => ({ vendor: 'test', architecture: '', device: '', description: '' }),
    });
  });
  const cdn = 'https://cdn.jsdelivr.net/npm/nonlin@0.1/';
  await page.route(`${cdn}**`, (route) => {
    const path = join(work, 'node_modules/nonlin', route.request().url().slice(cdn.length));
    return route.fulfill({ path, headers: { 'access-control-allow-origin': '*' } });
  });
  await page.goto(`${address}/${path}`);
  const output = page.locator('output');
  await expect
    .poll(async () => [await output.innerText(), ...faults].join('\n'), {
      timeout: 120_000,
    })
    .toMatch(/^(done|failed)|\n/);
  expect(faults).toEqual([]);
  const text = await output.innerText();
  await page.close();
  return text;
}

/** Bundles an example as its reader does. */
async function build(name: string): Promise<string> {
  await run(
    process.execPath,
    [tool('vite/bin/vite.js'), 'build', '--base', './', '--logLevel', 'warn'],
    join(work, name),
  );
  return `${name}/dist/`;
}

describe('examples', () => {
  const tested = [
    'vite-trainer',
    'plain-html',
    'pytorch-checkpoint',
    'own-module',
    'worker',
    'node-webgpu',
    'deno',
  ];

  it('are all tested here', async () => {
    const entries = await readdir(join(root, 'examples'), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(folders.sort()).toEqual([...tested].sort());
  });

  it('check against the types of the package', async () => {
    const apps = ['vite-trainer', 'pytorch-checkpoint', 'own-module', 'worker', 'deno'];
    await writeFile(
      join(work, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          lib: ['ES2023', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
          module: 'ESNext',
          moduleResolution: 'bundler',
          types: [],
          strict: true,
          noUncheckedIndexedAccess: true,
          verbatimModuleSyntax: true,
          noEmit: true,
        },
        include: apps.map((name) => `${name}/*.ts`),
      }),
    );
    await run(process.execPath, [tool('typescript/bin/tsc'), '-p', '.'], work);
  });

  it('vite-trainer learns', async () => {
    const text = await open(await build('vite-trainer'));
    expect(text).toMatch(/^done on webgpu: (19\d|200) of 200 right; [\d.]+ .B: /);
  });

  it('plain-html loads the package from a CDN by an import map', async () => {
    expect(await open('plain-html/index.html')).toBe(
      'done on webgpu: probabilities 0.6590 0.2424 0.0986, loss 0.4170, gradient -0.3410 0.2424 0.0986',
    );
  });

  it("pytorch-checkpoint gets PyTorch's results", async () => {
    const text = await open(await build('pytorch-checkpoint'));
    const [, worst = 'NaN'] = /^done on webgpu: at most (\S+) off PyTorch 1\.13/.exec(text) ?? [];
    expect(Number(worst), text).toBeLessThan(1e-6);
  });

  it('own-module learns, and has names', async () => {
    const text = await open(await build('own-module'));
    expect(text).toMatch(/^done on webgpu: loss 0\.0\d+; 14 tensors: towers\.left\.0\.weight /);
    expect(text).toContain('towers.right.1.scale towers.right.1.fc.weight');
  });

  it('worker learns beside the page', async () => {
    const text = await open(await build('worker'));
    const losses = text.replace('done: losses ', '').split(' ').map(Number);
    expect(losses).toHaveLength(11);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 10);
  });

  it.each(['cpu', 'webgpu'])('node-webgpu learns: %s', async (backend) => {
    // Dawn asks more of a driver than older Mesa has
    const driver = findSwiftShader();
    const env = driver ? { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver } : {};
    const text = await run(process.execPath, ['main.mjs', backend], join(work, 'node-webgpu'), env);
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
    const args = [tool('deno/bin.cjs'), 'run', '--no-remote', '--unstable-webgpu', 'main.ts'];
    const env = { DENO_NO_UPDATE_CHECK: '1', DENO_DIR: join(work, 'deno-cache') };
    const text = await run(process.execPath, args, folder, env);
    expect(text).toMatch(/^(cpu|webgpu): .*\nloss 0\.4170\n-0\.34/);
  });
});
