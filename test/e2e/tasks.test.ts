// The other tasks reach their marks, runs go side by side, and the address holds the whole configuration.
import { expect, test, type Page } from 'playwright/test';
import { faultsOf, lookAt, plottedOf } from './lab.ts';
import { expectPhase, figureOf, openTraining, train } from './train-page.ts';

/** Of a layer of a run, as the page says. */
async function gradientOf(page: Page, run: number, layer: number): Promise<number> {
  const row = page.locator(`.layer-table[data-run="${run}"] tbody tr`).nth(layer);
  return Number(await row.getAttribute('data-gradient'));
}

for (const backend of ['webgpu', 'cpu'] as const) {
  // screenshots of one are enough: the other looks the same
  const seen = backend === 'webgpu';

  test(`two spirals are told apart, with their boundary, by ${backend}${backend === 'webgpu' ? ' @long' : ''}`, async ({
    page,
  }) => {
    const faults = faultsOf(page);
    await openTraining(page, {
      backend,
      task: 'spirals',
      activation: 'relu',
      width: 24,
      learningRate: 0.02,
      epochs: 20,
    });
    await train(page);
    expect(await figureOf(page, 'main')).toBeGreaterThanOrEqual(0.95);
    const canvas = page.locator('.boundaries canvas');
    await expect(canvas).toHaveAttribute('aria-label', /unsure over/);
    const { series } = await plottedOf(canvas);
    const shares = series[0]?.y ?? [];
    expect(shares).toHaveLength(3600);
    // both colours are there, and nearly everywhere it is sure
    const sure = (from: number, to: number) =>
      shares.filter((share) => share >= from && share <= to).length / shares.length;
    expect(sure(0, 0.1)).toBeGreaterThan(0.2);
    expect(sure(0.9, 1)).toBeGreaterThan(0.2);
    if (seen) await lookAt(page, 'train-spirals');
    expect(faults).toEqual([]);
  });

  test(`three losses side by side, by ${backend}: outliers pull the squared error off the curve @long`, async ({
    page,
  }) => {
    const faults = faultsOf(page);
    await openTraining(page, { backend, task: 'regression', learningRate: 0.02, epochs: 25 });
    await expect(page.locator('.run-tab')).toHaveCount(3);
    await train(page);
    const [mse = NaN, l1 = NaN, huber = NaN] = await Promise.all(
      [0, 1, 2].map((run) => figureOf(page, 'main', run)),
    );
    expect(l1).toBeLessThan(0.03);
    expect(huber).toBeGreaterThan(l1);
    expect(mse).toBeGreaterThan(huber);
    expect(mse).toBeGreaterThan(0.08);
    const { x, series } = await plottedOf(page.locator('.regression .plot'));
    expect(series.map(({ label }) => label)).toEqual([
      'points',
      'outliers',
      'true curve',
      'Run A',
      'Run B',
      'Run C',
    ]);
    // the lines are those that the figures are about
    const [truth, ...lines] = series.slice(2).map(({ y }) => y);
    const errors = lines.map((line) => {
      const off = x.flatMap((_, i) => {
        const [at, wanted] = [line[i], truth?.[i]];
        return typeof at === 'number' && typeof wanted === 'number' ? [(at - wanted) ** 2] : [];
      });
      expect(off.length).toBeGreaterThan(100);
      return off.reduce((sum, square) => sum + square, 0) / off.length;
    });
    [mse, l1, huber].forEach((error, run) => {
      expect(Math.abs((errors[run] ?? NaN) / error - 1)).toBeLessThan(0.1);
    });
    if (seen) await lookAt(page, 'train-regression');
    expect(faults).toEqual([]);
  });

  test(`an autoencoder draws digits again, by ${backend} @long`, async ({ page }) => {
    const faults = faultsOf(page);
    await openTraining(page, {
      backend,
      task: 'autoencoder',
      loss: seen ? 'binaryCrossEntropyWithLogits' : 'mseLoss',
      width: 48,
      batchSize: 100,
      learningRate: 0.01,
      epochs: 1,
    });
    await train(page, 100_000);
    // the mean digit alone is off by 0.067
    expect(await figureOf(page, 'main')).toBeLessThan(0.055);
    await expect(page.locator('.reconstructions img')).toHaveCount(20);
    const drawn = await plottedOf(page.locator('.reconstructions'));
    const own = drawn.series[0]?.y ?? [];
    const error = own.reduce((sum, ink, i) => sum + (ink - (drawn.x[i] ?? 0)) ** 2, 0) / own.length;
    expect(error).toBeLessThan(0.07);
    if (seen) await lookAt(page, 'train-autoencoder');
    expect(faults).toEqual([]);
  });
}

test('sigmoid against relu, six layers deep: the gradient vanishes @long', async ({ page }) => {
  await openTraining(page, {
    backend: 'cpu',
    activation: 'sigmoid',
    layers: 6,
    width: 16,
    batchSize: 100,
    epochs: 1,
    vs: 'activation:relu',
  });
  await train(page);
  expect(await gradientOf(page, 0, 0)).toBeLessThan(1e-3);
  expect(await gradientOf(page, 1, 0)).toBeGreaterThan(100 * (await gradientOf(page, 0, 0)));
  expect(await figureOf(page, 'main', 1)).toBeGreaterThan((await figureOf(page, 'main', 0)) + 0.1);
  // the matrix is that of the chosen run
  await page.locator('#inspect').selectOption({ index: 1 });
  const right = await page
    .locator('.confusion td.right')
    .evaluateAll((cells) =>
      cells.reduce((sum, cell) => sum + (Number(cell.textContent.trim()) || 0), 0),
    );
  expect(right / 2000).toBeCloseTo(await figureOf(page, 'main', 1), 6);
});

test('the address holds the whole configuration', async ({ page }) => {
  const faults = faultsOf(page);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await openTraining(page, { backend: 'cpu' });
  await page.getByRole('link', { name: 'Two spirals' }).click();
  await expect(page.locator('#app')).toHaveAttribute('data-task', 'spirals');
  await page.getByLabel('Width').fill('24');
  await page.getByLabel('Epochs').fill('7');
  await page.getByRole('button', { name: 'Compare with another run' }).click();
  await page.getByLabel('Activation').selectOption('gelu');
  await page.getByLabel('Optimizer').selectOption('momentum');
  await page.getByLabel('Hidden layers').fill('2');
  // the address follows the last change, not in the same moment
  await expect
    .poll(() => decodeURIComponent(page.url()))
    .toContain('vs=activation:gelu,optimizer:momentum,layers:2');
  const address = page.url();
  expect(address).toContain('task=spirals');
  expect(address).toContain('width=24');
  expect(address).toContain('epochs=7');
  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);

  await page.goto('about:blank');
  await page.goto(address);
  await expectPhase(page, 'idle');
  await expect(page.getByLabel('Width')).toHaveValue('24');
  await expect(page.getByLabel('Epochs')).toHaveValue('7');
  await expect(page.getByLabel('Activation')).toHaveValue('tanh');
  await page.getByRole('button', { name: 'Run B' }).click();
  await expect(page.getByLabel('Activation')).toHaveValue('gelu');
  await expect(page.getByLabel('Optimizer')).toHaveValue('momentum');
  await expect(page.getByLabel('Hidden layers')).toHaveValue('2');
  expect(page.url()).toBe(address);
  await page.getByRole('button', { name: 'Remove Run B' }).click();
  await expect(page.locator('.run-tab')).toHaveCount(1);
  expect(page.url()).not.toContain('vs=');
  // back to where one came from
  await page.getByRole('link', { name: 'Outliers' }).click();
  await expect(page.locator('.run-tab')).toHaveCount(3);
  await page.goBack();
  await expect(page.locator('#app')).toHaveAttribute('data-task', 'spirals');
  expect(faults).toEqual([]);
});
