// Serves a folder of examples, and opens their pages as on a machine with a GPU.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { chromium, type Page } from 'playwright';
import { expect } from 'vitest';
import { canvasArgs, launchOptions } from '../../scripts/browser.mjs';
import { node, tool } from './run.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

export interface Pages {
  /**
   * Opens a page, waits until its output says that it is done or has failed, and gives the output. Anything in the console is a
   * failure but what `ignore` names.
   */
  open(path: string, options?: OpenOptions): Promise<string>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Addresses that the page loads from elsewhere, each with the folder that stands for it. */
  readonly from?: Readonly<Record<string, string>>;
  readonly ignore?: RegExp;
  /** How many GPUDevices the page may ask for. */
  readonly devices?: number;
  /** What the reader does: before the page says that it is done, and after. */
  readonly before?: (page: Page) => Promise<void>;
  readonly after?: (page: Page) => Promise<void>;
}

export async function serve(folder: string): Promise<Pages> {
  const server = createServer(({ url = '/' }, response) => {
    const path = join(folder, decodeURIComponent(new URL(url, 'http://localhost').pathname));
    const file = extname(path) === '' ? join(path, 'index.html') : path;
    if (!existsSync(file)) {
      response.writeHead(url === '/favicon.ico' ? 204 : 404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = `http://localhost:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch(launchOptions(canvasArgs));

  return {
    async open(path, { from = {}, ignore, devices, before, after } = {}) {
      const page = await browser.newPage();
      const faults: string[] = [];
      const fault = (text: string) => {
        if (!ignore?.test(text)) faults.push(text);
      };
      page.on('pageerror', (error) => fault(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') fault(message.text());
      });
      // the software adapter calls itself a GPU, as init() passes over others
      await page.addInitScript(() => {
        Object.defineProperty(GPUAdapter.prototype, 'info', {
          get: () => ({ vendor: 'test', architecture: '', device: '', description: '' }),
        });
        const original = Reflect.get(GPUAdapter.prototype, 'requestDevice') as () => unknown;
        let count = 0;
        Object.defineProperty(globalThis, 'devices', { get: () => count });
        GPUAdapter.prototype.requestDevice = function (...args) {
          count++;
          return Reflect.apply(original, this, args) as Promise<GPUDevice>;
        };
      });
      for (const [prefix, files] of Object.entries(from)) {
        await page.route(`${prefix}**`, (route) => {
          const file = join(
            files,
            new URL(route.request().url().slice(prefix.length), address).pathname,
          );
          const headers = { 'access-control-allow-origin': '*' };
          return existsSync(file)
            ? route.fulfill({ path: file, headers })
            : route.fulfill({ status: 404, headers });
        });
      }
      await page.goto(`${address}/${path}`);
      await before?.(page);
      const output = page.locator('output');
      await expect
        .poll(async () => [await output.innerText(), ...faults].join('\n'), { timeout: 120_000 })
        .toMatch(/^(done|failed)|\n/);
      expect(faults).toEqual([]);
      const text = await output.innerText();
      const opened = await page.evaluate(() => Reflect.get(globalThis, 'devices') as number);
      if (devices !== undefined) expect(opened).toBe(devices);
      await after?.(page);
      await page.close();
      return text;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** Bundles an example as its reader does; where the bundle is. */
export async function build(work: string, name: string): Promise<string> {
  const args = ['build', '--base', './', '--logLevel', 'error'];
  await node(tool('vite/bin/vite.js'), args, join(work, name));
  return `${name}/dist/`;
}

/** The numbers at the end of what a page says. */
export const numbersOf = (text: string): number[] =>
  (/(?:(?:^| )-?[\d.]+(?:e[-+]?\d+)?)+$/.exec(text)?.[0] ?? '').trim().split(' ').map(Number);

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where the page's canvas is bright. */
export async function litPixels(page: Page): Promise<Point[]> {
  const canvas = page.locator('canvas');
  // at whole pixels, else its edge is half of the page's
  await canvas.evaluate(({ style }) =>
    Object.assign(style, { position: 'fixed', top: 0, left: 0 }),
  );
  const picture = await canvas.screenshot();
  return page.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    if (!context) throw new Error('no context');
    context.drawImage(image, 0, 0);
    const { data, width } = context.getImageData(0, 0, image.width, image.height);
    const lit: { x: number; y: number }[] = [];
    for (let i = 0; i < data.length; i += 4) {
      if ((data[i] ?? 0) > 128) lit.push({ x: (i / 4) % width, y: Math.floor(i / 4 / width) });
    }
    return lit;
  }, picture.toString('base64'));
}
