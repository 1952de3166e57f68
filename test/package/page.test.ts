/**
 * dist/nonlin.min.js in a page without a bundler: by its address, and by an import map.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { launchOptions } from '../../scripts/browser.mjs';

const SCRIPT = `
  const device = await init({ backend: 'webgpu' });
  const x = tensor([[-1, 2]], { requiresGrad: true });
  const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
  const loss = crossEntropy(model.forward(x), tensor([1], { dtype: 'int32' }));
  loss.backward();
  optimizer.step();
  globalThis.result = {
    type: device.type,
    loss: await loss.item(),
    grad: (await x.grad.array()).flat(),
    gelu: await gelu(tensor([1])).array(),
  };
`;
const NAMES = '{ crossEntropy, gelu, init, nn, optim, tensor }';

const PAGES: Readonly<Record<string, string>> = {
  '/address': `<script type="module">
  import ${NAMES} from '/nonlin.min.js';
  ${SCRIPT}</script>`,
  '/map': `<script type="importmap">{ "imports": { "nonlin": "/nonlin.min.js" } }</script>
<script type="module">
  import ${NAMES} from 'nonlin';
  ${SCRIPT}</script>`,
};

let server: Server;
let browser: Browser;
let origin: string;

beforeAll(async () => {
  const file = join(inject('work'), 'installed/node_modules/nonlin/dist/nonlin.min.js');
  const script = await readFile(file);
  server = createServer(({ url = '' }, response) => {
    const page = PAGES[url];
    if (url === '/nonlin.min.js') response.setHeader('Content-Type', 'text/javascript').end(script);
    else if (page === undefined) response.writeHead(404).end();
    else
      response
        .setHeader('Content-Type', 'text/html')
        .end(`<!doctype html><link rel="icon" href="data:,">${page}`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch(launchOptions());
});

afterAll(async () => {
  await browser.close();
  server.close();
});

it.each(Object.keys(PAGES))('runs in a page, one request: %s', async (path) => {
  const page = await browser.newPage();
  const problems: string[] = [];
  const scripts: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(new URL(request.url()).pathname);
  });
  await page.goto(origin + path);
  const handle = await page.waitForFunction<unknown>('globalThis.result', null, {
    timeout: 120_000,
  });
  const result = (await handle.jsonValue()) as Record<'loss' | 'type', unknown> &
    Record<'gelu' | 'grad', number[]>;
  await page.close();
  expect(problems).toEqual([]);
  expect(scripts).toEqual(['/nonlin.min.js']);
  expect(result.type).toBe('webgpu');
  expect(result.loss).toBeGreaterThan(0);
  expect(result.grad).toHaveLength(2);
  expect(result.gelu[0]).toBeCloseTo(0.841345, 5);
});
