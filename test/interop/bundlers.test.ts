// More bundlers, runtimes and compilers than the package lane has: an app with one op is built, and run in Chromium or there.
import { readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { filesBelow, gzipped, makeApp } from '../package/app.ts';
import { node, program, root } from '../package/run.ts';
import { serve, type Pages } from '../package/serve.ts';
import { config, MAIN, WEBGPU } from '../package/type-apps.ts';

const here = join(root, 'test/interop');
const require = createRequire(join(here, 'package.json'));
const peer = (path: string) => join(here, 'node_modules', path);

const PAGE = `<!doctype html><link rel="icon" href="data:,"><output></output>
<script type="module" src="SCRIPT"></script>\n`;
const RELU = `
import { init, relu, tensor } from 'nonlin';

const run = async () => {
  const device = await init({ backend: 'webgpu' });
  const values = await relu(tensor([-1, 2])).array();
  document.querySelector('output').value = 'done on ' + device.type + ': ' + values.join(' ');
};
run();
`;

let pages: Pages;

beforeAll(async () => {
  pages = await serve(inject('work'));
});

afterAll(() => pages.close());

async function check(app: string, page: string): Promise<void> {
  const dist = join(app, 'dist');
  const scripts = (await filesBelow(dist)).filter((name) => name.endsWith('.js'));
  const outputs = await Promise.all(
    scripts.map(async (path) => ({ path, text: await readFile(join(dist, path), 'utf8') })),
  );
  console.log(`relu and init: ${(gzipped(outputs) / 1000).toFixed(1)} kB gzipped, ${page}`);
  // as large as other bundlers make it: nothing else is in it
  expect(gzipped(outputs)).toBeLessThan(45_000);
  expect(await pages.open(page)).toBe('done on webgpu: 0 2');
}

describe('an app with relu', () => {
  it('by webpack', async () => {
    const app = await makeApp('webpack', {
      'main.js': RELU,
      'dist/index.html': PAGE.replace('SCRIPT', 'main.js'),
      'build.cjs': `
const webpack = require(${JSON.stringify(require.resolve('webpack'))});
webpack({ mode: 'production', context: __dirname, entry: './main.js' }, (error, stats) => {
  if (error || stats.hasErrors() || stats.hasWarnings()) {
    console.error(error ?? stats.toString());
    process.exitCode = 1;
  }
});
`,
    });
    await node('build.cjs', [], app);
    await check(app, 'webpack/dist/');
  });

  it('by Parcel', async () => {
    const app = await makeApp('parcel', {
      'main.js': RELU,
      'index.html': PAGE.replace('SCRIPT', './main.js'),
    });
    const args = ['build', 'index.html', '--no-cache', '--no-source-maps', '--public-url', './'];
    await node(peer('parcel/lib/bin.js'), args, app);
    await check(app, 'parcel/dist/');
  });

  it('by Bun', async () => {
    const app = await makeApp('bun', {
      'main.js': RELU,
      'dist/index.html': PAGE.replace('SCRIPT', 'main.js'),
    });
    await program(await bun(), ['build', 'main.js', '--outdir', 'dist', '--minify'], app);
    await check(app, 'bun/dist/');
  });
});

it('Next prerenders it, and runs it in the browser', async () => {
  const app = await makeApp('next', {
    'next.config.mjs': "export default { output: 'export', basePath: '/next/out' };\n",
    'app/layout.jsx':
      'export default ({ children }) => <html lang="en"><body>{children}</body></html>;\n',
    'app/page.jsx': `'use client';
import { init, relu, tensor } from 'nonlin';
import { useEffect, useState } from 'react';

export default function Page() {
  const [text, setText] = useState('…');
  useEffect(() => {
    init({ backend: 'webgpu' })
      .then(async ({ type }) => \`done on \${type}: \${(await relu(tensor([-1, 2])).array()).join(' ')}\`)
      .then(setText);
  }, []);
  return <output>{text}</output>;
}
`,
  });
  for (const name of ['next', 'react', 'react-dom']) {
    await symlink(peer(name), join(app, 'node_modules', name), 'junction');
  }
  // Turbopack does not follow links out of the app
  await node(peer('next/dist/bin/next'), ['build', '--webpack'], app, {
    NEXT_TELEMETRY_DISABLED: '1',
  });
  expect(await pages.open('next/out/')).toBe('done on webgpu: 0 2');
});

/** The program that Bun's package has for this machine. */
async function bun(): Promise<string> {
  const folder = peer('@oven');
  const [name] = await readdir(folder);
  if (name === undefined) throw new Error('no Bun for this machine');
  return join(folder, name, 'bin', process.platform === 'win32' ? 'bun.exe' : 'bun');
}

it('Bun runs it on the CPU', async () => {
  const app = await makeApp('bun-runs', {
    'main.ts': `
import { init, relu, tensor } from 'nonlin';
const device = await init();
console.log(device.type, JSON.stringify(await relu(tensor([-1, 2])).array()));
`,
  });
  expect(await program(await bun(), ['run', 'main.ts'], app)).toBe('cpu [0,2]\n');
});

describe('TypeScript 7', () => {
  const tsc = (app: string) =>
    node(join(dirname(require.resolve('typescript-7/package.json')), 'bin/tsc'), ['-p', app], app);

  it.each([
    ['bundler', {}],
    ['nodenext', { module: 'NodeNext', moduleResolution: 'nodenext' }],
  ])('%s', async (name, options) => {
    const app = await makeApp(`types-7-${name}`, {
      'src/main.ts': MAIN,
      'tsconfig.json': config(options),
    });
    await tsc(app);
  });

  it('knows GPUDevice', async () => {
    const app = await makeApp('types-7-webgpu', {
      'src/main.ts': WEBGPU,
      'tsconfig.json': config({}),
    });
    await symlink(
      join(root, 'node_modules/@webgpu'),
      join(app, 'node_modules/@webgpu'),
      'junction',
    );
    await tsc(app);
  });
});
