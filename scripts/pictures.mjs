// @ts-check
// In: the built page (`npm run build:demo`). Out: the picture that links to the page show, demo/public/og.png, and
// docs/page.png for the README. Run after changes that are seen there: `npm run pictures`.
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { preview } from 'vite';
import { launchOptions } from './browser.mjs';

/** @param {string} path relative to the repository */
const inRepo = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** A three, as one draws it. Points as shares of the pad's side. */
const THREE = [
  [0.34, 0.22],
  [0.45, 0.14],
  [0.6, 0.16],
  [0.66, 0.27],
  [0.62, 0.38],
  [0.48, 0.45],
  [0.63, 0.5],
  [0.69, 0.63],
  [0.63, 0.78],
  [0.48, 0.85],
  [0.33, 0.78],
];

/** The front page once its networks have learned, with a digit that is read. @param {import('playwright').Page} page */
async function showHome(page) {
  await page.locator('.home[data-phase="ended"]').waitFor({ timeout: 120_000 });
  const box = await page.locator('#pad').boundingBox();
  if (!box) throw new Error('no pad');
  for (const [i, [x = 0, y = 0]] of THREE.entries()) {
    await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
  await page.getByText('Reads as').waitFor();
  await page.mouse.move(0, 0);
  // the bars take a moment
  await page.waitForTimeout(400);
}

/** @param {import('playwright').Page} page */
async function showFunctions(page) {
  await page.locator('.comparison[data-drawn]').waitFor();
}

const PICTURES = [
  { path: 'demo/public/og.png', view: '', width: 1200, height: 630, scale: 1, show: showHome },
  {
    path: 'docs/page.png',
    view: 'functions',
    width: 1280,
    height: 690,
    scale: 1,
    show: showFunctions,
  },
];

const server = await preview({
  configFile: inRepo('demo/vite.config.ts'),
  preview: { port: 4590, strictPort: false },
  logLevel: 'warn',
});
const browser = await chromium.launch(launchOptions());
try {
  for (const { path, view, width, height, scale, show } of PICTURES) {
    const context = await browser.newContext({
      viewport: { width, height },
      deviceScaleFactor: scale,
      colorScheme: 'light',
    });
    const page = await context.newPage();
    await page.goto(`${server.resolvedUrls?.local[0] ?? ''}#/${view}?backend=webgpu`);
    await show(page);
    await page.evaluate(() => document.fonts.ready.then(() => undefined));
    await page.screenshot({ path: inRepo(path) });
    console.log(path);
    await context.close();
  }
} finally {
  await browser.close();
  await server.close();
}
