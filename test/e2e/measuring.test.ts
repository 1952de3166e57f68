// The views that measure: accuracy and benchmark, on WebGPU and on the CPU.
import { expect, test } from 'playwright/test';
import { faultsOf, lookAt, openView, plottedOf } from './lab.ts';

test('accuracy: ours within its bound everywhere, the built-ins far off, on the GPU', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openView(page, 'accuracy', { backend: 'webgpu', samples: 16 });
  const plot = page.locator('.accuracy-plot');
  await expect(plot).toHaveAttribute('data-measured', 'tanh forward webgpu');
  const { x, series } = await plottedOf(plot);
  // every sign and exponent of normal float32 numbers
  expect(x).toHaveLength(2 * 254);
  const of = (label: string) => series.find((one) => one.label === label)?.y ?? [];
  const bound = of('bound')[0] ?? NaN;
  expect(Math.max(...of('nonlin'))).toBeLessThanOrEqual(bound);
  expect(Math.min(...of('nonlin'))).toBeGreaterThan(0);
  const worst = (name: string) =>
    page.locator(`tr[data-of="${name}"]`).evaluate((row) => {
      const { worst: ulp, wrong } = (row as HTMLElement).dataset;
      return { ulp: Number(ulp), wrong: Number(wrong) };
    });
  const [own, other] = [await worst('nonlin'), await worst('WGSL built-ins')];
  expect(own.wrong).toBe(0);
  expect(own.ulp).toBeCloseTo(Math.max(...of('nonlin')), 6);
  // WGSL promises of tanh what exp gives it: far off near 0, on this adapter NaN where it is large
  expect(other.ulp).toBeGreaterThan(1000);
  await lookAt(page, 'accuracy');

  await page.getByLabel('Direction').selectOption('backward');
  await expect(plot).toHaveAttribute('data-measured', 'tanh backward webgpu');
  await page.getByLabel('Op', { exact: true }).selectOption('softmax');
  await expect(plot).toHaveAttribute('data-measured', 'softmax backward webgpu');
  const rows = await plottedOf(plot);
  expect(rows.x[0]).toBe(1);
  expect(page.url()).toContain('op=softmax');
  expect(faults).toEqual([]);
});

test('accuracy on the CPU, with options; a measurement can be cancelled', async ({ page }) => {
  const faults = faultsOf(page);
  await openView(page, 'accuracy', { backend: 'cpu', op: 'elu', options: 'elu.alpha:2' });
  const plot = page.locator('.accuracy-plot');
  await expect(plot).toHaveAttribute('data-measured', 'elu forward cpu');
  await expect(page.locator('.worst caption')).toContainText('elu, alpha 2');
  const { series } = await plottedOf(plot);
  // rounded once
  expect(Math.max(...(series.at(-1)?.y ?? [NaN]))).toBeLessThanOrEqual(0.5);
  await page.getByLabel('Op', { exact: true }).selectOption('gelu');
  await page.getByLabel('Inputs per power of two').selectOption('8192');
  // at once: it takes a second or two
  await page.getByRole('button', { name: 'Cancel' }).dispatchEvent('click');
  await expect(page.locator('.result')).toContainText('Cancelled');
  await expect(page.getByRole('button', { name: 'Cancel' })).toHaveCount(0);
  await page.getByLabel('Inputs per power of two').selectOption('16');
  await expect(plot).toHaveAttribute('data-measured', 'gelu forward cpu');
  expect(faults).toEqual([]);
});

test('benchmark: each op against the copy kernel and the CPU, copied as Markdown @long', async ({
  browser,
}) => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  const faults = faultsOf(page);
  await openView(page, 'benchmark', {
    backend: 'webgpu',
    size: 100000,
    ops: 'relu,softmax,crossEntropy',
  });
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await expect(page.locator('#benchmark')).toHaveAttribute('data-state', 'running');
  await expect(page.locator('#benchmark')).toHaveAttribute('data-state', 'done', {
    timeout: 60_000,
  });
  const timings = await page.locator('.timings tbody tr').evaluateAll((rows) =>
    rows.map((row) => {
      const { op = '', gpu, cpu } = (row as HTMLElement).dataset;
      return { op, gpu: Number(gpu), cpu: Number(cpu) };
    }),
  );
  expect(timings.map(({ op }) => op)).toEqual([
    'relu',
    'relu + gradient',
    'softmax',
    'softmax + gradient',
    'crossEntropy',
    'crossEntropy + gradient',
  ]);
  for (const { op, gpu, cpu } of timings) {
    expect(gpu, op).toBeGreaterThan(0.001);
    expect(cpu, op).toBeGreaterThan(0.001);
  }

  // the headline and the picture come first, and say what the table's figures say
  const shares = await page.locator('.shares .share').evaluateAll((bars) =>
    bars.map((bar) => {
      const { call = '', share } = (bar as HTMLElement).dataset;
      const width = bar.querySelector('.bar')?.getBoundingClientRect().width ?? NaN;
      return { call, share: Number(share), width, text: bar.textContent.trim() };
    }),
  );
  expect(shares.map(({ call }) => call)).toEqual(timings.map(({ op }) => op));
  const about = (await page.locator('#circumstances').textContent()) ?? '';
  const copy = Number(/Copy kernel: ([\d.]+) ms/.exec(about)?.[1]);
  const widest = Math.max(1, ...shares.map(({ share }) => share));
  for (const { call, share, width, text } of shares) {
    const gpu = timings.find(({ op }) => op === call)?.gpu ?? NaN;
    // relu and softmax move as many bytes as the copy; with a gradient 5 numbers for its 2; crossEntropy reads 1 and writes none
    const numbers = call.startsWith('crossEntropy')
      ? (call.endsWith('gradient') ? 2.001 : 1.001) / 2
      : call.endsWith('gradient')
        ? 5 / 2
        : 1;
    expect(share / ((numbers * copy) / gpu), call).toBeCloseTo(1, 1);
    expect(text, call).toContain('%');
    const first = shares[0];
    if (first && share > 0.02 * widest && first.share > 0.02 * widest)
      expect(width / first.width, call).toBeCloseTo(share / first.share, 1);
  }
  const half = shares.map(({ share }) => share).sort((a, b) => a - b)[3] ?? NaN;
  const headline = page.locator('#benchmark-headline');
  await expect(headline).toContainText('Half of the 6 calls reach at least');
  const said = Number(/at least ([\d.]+) %/.exec((await headline.textContent()) ?? '')?.[1]);
  expect(Math.abs(said - 100 * half)).toBeLessThanOrEqual(0.5);
  const topOf = async (selector: string) => (await page.locator(selector).boundingBox())?.y ?? NaN;
  expect(await topOf('#benchmark-headline')).toBeLessThan(await topOf('.shares'));
  expect(await topOf('.shares')).toBeLessThan(await topOf('.timings'));

  await page.getByRole('button', { name: 'Copy as Markdown' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^nonlin on .*100,000 elements, float32; copy kernel [\d.]+ ms/);
  expect(text.split('\n').filter((line) => line.startsWith('| relu'))).toHaveLength(2);
  await lookAt(page, 'benchmark');

  // a long one can be cancelled, and what was measured stays
  await page.getByLabel('Elements').selectOption('16000000');
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('#benchmark')).toHaveAttribute('data-state', 'cancelled');
  expect(faults).toEqual([]);
  await context.close();
});

test('benchmark without a GPU: the CPU path alone', async ({ page }) => {
  await openView(page, 'benchmark', { backend: 'cpu', size: 1000, ops: 'relu' });
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await expect(page.locator('#benchmark')).toHaveAttribute('data-state', 'done');
  const row = page.locator('.timings tbody tr').first();
  await expect(row).toHaveAttribute('data-gpu', '');
  expect(Number(await row.getAttribute('data-cpu'))).toBeGreaterThan(0);
  // without a copy there is nothing to be a share of
  await expect(page.locator('#benchmark-headline')).toContainText('Times on the CPU');
  await expect(page.locator('.shares')).toHaveCount(0);
});
