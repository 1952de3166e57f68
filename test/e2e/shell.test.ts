// What holds for the whole page: weight, speed, any folder, any window, keyboard, screen readers, themes, motion.
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test, type Page } from 'playwright/test';
import { measureSlowdown } from './blocking.ts';
import { expectNoOverflow, faultsOf, openView } from './lab.ts';
import { draw, ONE } from './train-page.ts';

/** Names in the navigation, and titles. */
const VIEWS = {
  Functions: 'Activation functions',
  Losses: 'Losses',
  Train: 'Train',
  Write: 'A transformer that learns to write',
  'Your own': 'Write your own activation or loss',
  Accuracy: 'Accuracy',
  'Your GPU': 'How wrong is your GPU?',
  Benchmark: 'Benchmark',
};
const dist = fileURLToPath(new URL('../../demo/dist/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
};

/** The built page as any static host would serve it, below a folder. */
async function serveBelow(folder: string): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const name = path === folder ? 'index.html' : path.slice(folder.length);
    if (!path.startsWith(folder) || name.includes('..')) {
      response.writeHead(404).end();
      return;
    }
    readFile(join(dist, name)).then(
      (body) =>
        response
          .writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' })
          .end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  return { server, address: `http://localhost:${port}${folder}` };
}

test('the first page weighs at most 260 kB gzipped without data, and can be used within 2 s', async ({
  page,
}) => {
  const sizes: Promise<number>[] = [];
  page.on('response', (response) => {
    if (!response.url().startsWith('http') || response.url().endsWith('.safetensors')) return;
    sizes.push(
      response.body().then((body) =>
        // fonts are compressed already
        response.url().endsWith('.woff2') ? body.length : gzipSync(body, { level: 9 }).length,
      ),
    );
  });
  const slowdown = measureSlowdown();
  const start = performance.now();
  await page.goto('/');
  await draw(page, ONE);
  await expect(page.locator('#verdict')).toContainText('Reads as 1');
  // with cores of its own: others may be at work here
  const seconds = (performance.now() - start) / 1000 / slowdown();
  await page.waitForLoadState('networkidle');
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  console.log(
    `first page: ${(total / 1000).toFixed(1)} kB gzipped, usable in ${seconds.toFixed(2)} s`,
  );
  expect(total).toBeLessThanOrEqual(260_000);
  expect(total).toBeGreaterThan(50_000);
  expect(seconds).toBeLessThan(2);
});

test('from any folder of a static host: every view fits any window, is named, and holds still @long', async ({
  page,
}) => {
  const faults = faultsOf(page);
  const { server, address } = await serveBelow('/some/folder/');
  try {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.goto(`${address}?backend=cpu#/functions?backend=cpu`);
    await page.getByRole('link', { name: 'nonlin', exact: true }).click();
    await expect(page.locator('.home')).toBeVisible();
    await expect(page.locator('.home-pad')).toContainText('% of 2,000 others');
    for (const width of [280, 3200]) {
      await page.setViewportSize({ width, height: 900 });
      await expectNoOverflow(page);
    }
    for (const [name, title] of Object.entries(VIEWS)) {
      await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
      await expect(page).toHaveTitle(new RegExp(`^${title}`));
      await expect(page.locator('nav [aria-current="page"]')).toHaveText(name);
      // the chosen device stays
      await expect(page.locator('#device')).toHaveText('CPU');
      expect(page.url()).toContain('backend=cpu');
      if (name === 'Train')
        await expect(page.locator('#app')).toHaveAttribute('data-phase', 'idle');
      for (const viewport of [
        { width: 280, height: 480 },
        { width: 3200, height: 1800 },
      ]) {
        await page.setViewportSize(viewport);
        await expectNoOverflow(page);
      }
      await page.setViewportSize({ width: 1280, height: 900 });
      expect(await namelessOf(page)).toEqual([]);
      expect(await movingOf(page)).toBe(0);
    }
    await page.goBack();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('How wrong is your GPU?');
    expect(faults).toEqual([]);
  } finally {
    server.close();
  }
});

test('by keyboard: skip link, views, theme', async ({ page }) => {
  await openView(page, 'functions', { backend: 'cpu' });
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  // a frame round the whole page would say nothing
  expect(await page.locator('main').evaluate((main) => getComputedStyle(main).outlineStyle)).toBe(
    'none',
  );
  await page.locator('#to-losses').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Losses');
  // focus goes where the new content is
  await expect(page.locator('main')).toBeFocused();

  const theme = page.getByRole('button', { name: /^Theme/ });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await theme.focus();
  // the first press is seen
  await page.keyboard.press('Enter');
  await expect(theme).toHaveAccessibleName('Theme: dark');
  expect(await background()).not.toBe(light);
  await page.reload();
  await expect(theme).toHaveAccessibleName('Theme: dark');
});

/** Controls without a name for a screen reader. */
function namelessOf(page: Page): Promise<string[]> {
  return page.locator('button, select, input, canvas, progress, [role="img"]').evaluateAll((all) =>
    all
      .filter((element) => element.getClientRects().length > 0 && !element.closest('.uplot'))
      .filter(
        (element) =>
          !element.textContent.trim() &&
          !element.getAttribute('aria-label') &&
          !element.getAttribute('aria-labelledby') &&
          !(element instanceof HTMLInputElement && element.labels?.length) &&
          !(element instanceof HTMLSelectElement && element.labels.length),
      )
      .map((element) => element.outerHTML.slice(0, 120)),
  );
}

/** How many elements have a transition or an animation. */
function movingOf(page: Page): Promise<number> {
  return page.locator('main *').evaluateAll(
    (all) =>
      all.filter((element) => {
        const { transitionDuration, animationName } = getComputedStyle(element);
        return transitionDuration !== '0s' || animationName !== 'none';
      }).length,
  );
}

test('on a phone the navigation is scrolled to the view that one is in', async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 812 });
  for (const [view, name] of [
    ['benchmark', 'Benchmark'],
    ['functions', 'Functions'],
  ] as const) {
    await openView(page, view, { backend: 'cpu' });
    const nav = page.getByRole('navigation', { name: 'Views' });
    await expect(nav.getByRole('link', { name, exact: true })).toBeInViewport({ ratio: 1 });
    expect(await page.evaluate(() => scrollY)).toBe(0);
  }
});
