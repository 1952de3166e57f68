// The view that says how wrong a GPU is: what it shows is what is measured, a link carries it, a forged one carries nothing.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'playwright/test';
import { faultsOf, lookAt, openView } from './lab.ts';

interface Result {
  readonly format: string;
  readonly adapter: string;
  readonly browser: string;
  readonly results: {
    readonly op: string;
    readonly builtin: { ulp: number; wrong: number };
    readonly nonlin: { ulp: number; wrong: number };
  }[];
  readonly bandwidth: {
    readonly size: number;
    readonly copy: number;
    readonly ops: { readonly op: string; readonly gradient: boolean; readonly share: number }[];
  };
}

test('a sweep gives a headline, a picture, a link and JSON @long', async ({ browser }) => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  const faults = faultsOf(page);
  await openView(page, 'gpu', { backend: 'webgpu' });
  await page.getByRole('button', { name: 'Measure this GPU' }).click();
  await expect(page.locator('#gpu')).toHaveAttribute('data-state', 'running');
  await expect(page.locator('#gpu')).toHaveAttribute('data-state', 'done', { timeout: 110_000 });
  await page.getByRole('button', { name: 'Copy as JSON' }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  const result = JSON.parse(text) as Result;
  expect(result.format).toBe('nonlin-gpu/1');
  expect(result.adapter).toContain('swiftshader');
  expect(result.browser).toContain('Chrome');
  expect(result.results.length).toBeGreaterThanOrEqual(20);
  for (const { op, nonlin } of result.results) {
    expect(nonlin.wrong, op).toBe(0);
    expect(nonlin.ulp, op).toBeLessThanOrEqual(3);
  }
  const tanh = result.results.find(({ op }) => op === 'tanh');
  // WGSL promises of tanh what exp gives it: far off near 0
  expect(tanh?.builtin.ulp).toBeGreaterThan(1000);
  const headline = (await page.locator('#headline').textContent()) ?? '';
  expect(headline).toMatch(/^\w+: (wrongly NaN or ∞ for|off by up to) .*; ours is within/);
  // how fast it is: a copy, and shares of it
  const { bandwidth } = result;
  expect(bandwidth.size).toBe(1e6);
  expect(bandwidth.copy).toBeGreaterThan(0.1);
  expect(bandwidth.ops).toHaveLength(8);
  for (const { op, share } of bandwidth.ops) expect(share, op).toBeGreaterThan(0.001);
  const relu = bandwidth.ops.find(({ op, gradient }) => op === 'relu' && !gradient)?.share ?? NaN;
  await expect(page.locator('#bandwidth')).toContainText('A copy moves');
  await expect(page.locator('#bandwidth')).toContainText('relu');
  if (process.env.GPU_RESULT !== undefined) {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(process.env.GPU_RESULT, `${text}\n`);
  }

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the picture' }).click();
  const file = await readFile(await (await download).path());
  expect(file.subarray(1, 4).toString()).toBe('PNG');
  expect(file.length).toBeGreaterThan(10_000);
  await lookAt(page, 'gpu');

  await page.getByRole('button', { name: 'Copy the link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await context.newPage();
  await other.goto(link);
  await expect(other.locator('#headline')).toHaveText(headline);
  await expect(other.locator('.gpu-result')).toContainText('From the link: measured on');
  const shown = other.locator('tr[data-op="tanh"] td').first();
  expect(Number(await shown.getAttribute('data-ulp')) / (tanh?.builtin.ulp ?? NaN)).toBeCloseTo(
    1,
    1,
  );
  const share = other.locator('tr[data-bandwidth="relu"] td').first();
  expect(Number(await share.getAttribute('data-share')) / relu).toBeCloseTo(1, 1);
  expect(faults).toEqual([]);
  await context.close();
});

test('on the CPU it says why there is nothing to measure; a forged link shows nothing', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openView(page, 'gpu', {
    backend: 'cpu',
    r: '<b>:1:1:1:1,tanh:-1:0:0:0,x:1:2:0:0',
    bw: '-1:2',
  });
  await expect(page.getByRole('button', { name: 'Measure this GPU' })).toBeDisabled();
  await expect(page.locator('#gpu')).toContainText('The page now runs on the CPU');
  await expect(page.locator('#headline')).toHaveCount(0);
  await page.getByRole('link', { name: /Use any WebGPU adapter/ }).click();
  await expect(page.locator('main')).toHaveAttribute('data-device', 'webgpu');
  await expect(page.getByRole('button', { name: 'Measure this GPU' })).toBeEnabled();
  expect(faults).toEqual([]);
});
