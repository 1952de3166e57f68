// Runs and models are not lost in silence: by a setting, a task, a view, a reload, a device, a file that does not fit.
import { expect, test, type Page } from 'playwright/test';
import { faultsOf, plottedOf, plottedUpTo } from './lab.ts';
import { draw, expectPhase, figureOf, ONE, openTraining, stepOf, train } from './train-page.ts';

const SMALL = { backend: 'cpu', width: 16, batchSize: 100, epochs: 1 };
const SPIRALS = { backend: 'cpu', task: 'spirals', width: 16, layers: 2, epochs: 40 };
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const back = (page: Page) => button(page, 'Bring it back');

/** Trains until some steps are done, and stops. */
async function trainAWhile(page: Page): Promise<number> {
  await button(page, 'Train').click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(20);
  await button(page, 'Stop').click();
  await expectPhase(page, 'stopped');
  return stepOf(page);
}

/** Trains to the end, which comes so soon that nobody may see it running. */
async function trainTo(page: Page, step: number): Promise<void> {
  await button(page, 'Train').click();
  await expect.poll(() => stepOf(page)).toBe(step);
  await expectPhase(page, 'done');
}

test('a select shows the loss that runs, from task to task', async ({ page }) => {
  await openTraining(page, { backend: 'cpu' });
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  const loss = page.getByLabel('Loss', { exact: true });
  for (const [task, expected] of [
    ['Outliers', 'mseLoss'],
    ['Digits', 'crossEntropy'],
    ['Autoencoder', 'mseLoss'],
    ['Two spirals', 'crossEntropy'],
    ['Outliers', 'mseLoss'],
  ] as const) {
    await link(task).click();
    await expect(page.locator('.task-tabs [aria-current]')).toHaveText(task);
    await expect(loss).toHaveValue(expected);
  }
  // back from a run with another loss
  await button(page, 'Run C').click();
  await expect(loss).toHaveValue('huberLoss');
  await button(page, 'Run A').click();
  await expect(loss).toHaveValue('mseLoss');
});

test('a stopped run shows the figures of its last step, and goes on from there', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openTraining(page, SPIRALS);
  const step = await trainAWhile(page);
  const main = page.locator('.main-figure dt');
  await expect(main).toHaveText(new RegExp(`, (step ${step}|epoch ${step / 10})$`));
  await button(page, `Resume from step ${step}`).click();
  await expectPhase(page, 'done', 60_000);
  expect(await stepOf(page)).toBe(400);
  await expect(main).toHaveText(/, epoch 40$/);
  expect(faults).toEqual([]);
});

test('another setting or task ends a run not in silence: it can be had back', async ({ page }) => {
  const faults = faultsOf(page);
  await openTraining(page, SPIRALS);
  const step = await trainAWhile(page);
  const loss = await figureOf(page, 'held-out-loss');
  const address = page.url();
  await page.getByLabel('Width').fill('17');
  await expectPhase(page, 'idle');
  await expect(page.locator('#alerts')).toContainText(`${step} steps`);
  await back(page).click();
  await expectPhase(page, 'stopped');
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 5);
  await expect(page.getByLabel('Width')).toHaveValue('16');
  expect(page.url()).toBe(address);
  expect(await stepOf(page)).toBe(step);

  await page.getByRole('link', { name: 'Outliers' }).click();
  await expect(page.locator('#app')).toHaveAttribute('data-task', 'regression');
  await back(page).click();
  await expect(page.locator('#app')).toHaveAttribute('data-task', 'spirals');
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 5);
  expect(faults).toEqual([]);
});

test('another view, or a reload, leaves a run where it was', async ({ page }) => {
  const faults = faultsOf(page);
  await openTraining(page, SPIRALS);
  await button(page, 'Train').click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(20);
  const step = await stepOf(page);
  await page.getByRole('link', { name: 'Accuracy' }).click();
  await expect(page.locator('main h1')).toHaveText('Accuracy');
  await page.getByRole('link', { name: 'Train', exact: true }).click();
  await expectPhase(page, 'stopped');
  const left = await stepOf(page);
  expect(left).toBeGreaterThanOrEqual(step);
  await expect(page.locator('[data-figure="main"]')).not.toHaveText('–');
  const loss = await figureOf(page, 'held-out-loss');

  await page.reload();
  await expectPhase(page, 'stopped');
  expect(await stepOf(page)).toBe(left);
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 5);
  await button(page, `Resume from step ${left}`).click();
  await expectPhase(page, 'done', 60_000);
  // what is put away by hand stays away
  await button(page, 'Reset').click();
  await expectPhase(page, 'idle');
  await expect(back(page)).toBeVisible();
  await page.reload();
  await expectPhase(page, 'idle');
  expect(faults).toEqual([]);
});

test('a file that is broken, or of another network, leaves the trained one alone', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openTraining(page, SMALL);
  await train(page);
  const loss = await figureOf(page, 'held-out-loss');
  const load = (name: string, buffer: Buffer) =>
    page.locator('#load').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  const foreign = Buffer.from(
    JSON.stringify({ 'a.weight': { dtype: 'F32', shape: [3, 2], data_offsets: [0, 24] } }),
  );
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(foreign.length));
  for (const [name, bytes] of [
    ['broken.safetensors', Buffer.from('no such file')],
    ['foreign.safetensors', Buffer.concat([size, foreign, Buffer.alloc(24)])],
  ] as const) {
    await load(name, bytes);
    await expect(page.getByRole('alert')).toContainText(`${name} could not be loaded`);
    await expectPhase(page, 'done');
    expect(await figureOf(page, 'held-out-loss')).toBe(loss);
    await draw(page, ONE);
    await expect(page.locator('#verdict')).toContainText('Reads as');
    await page.getByRole('button', { name: 'Dismiss' }).click();
  }

  // one that fits is not called untrained, and what was there before is kept
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save model' }).click();
  const path = await (await download).path();
  await page.locator('#load').setInputFiles(path);
  await expectPhase(page, 'stopped');
  await expect(page.locator('.main-figure dt')).toHaveText(/, as loaded$/);
  await expect(page.locator('#progress-text')).toContainText('Loaded: ');
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 5);
  await expect(back(page)).toBeVisible();
  await button(page, 'Train it further').click();
  await expectPhase(page, 'done', 60_000);
  expect(await figureOf(page, 'held-out-loss')).toBeLessThan(loss);
  expect(faults).toEqual([]);
});

test('a run that diverges says so, and offers a lower rate, or to clip its gradients @long', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openTraining(page, {
    backend: 'cpu',
    task: 'regression',
    vs: 'none',
    optimizer: 'sgd',
    activation: 'relu',
    learningRate: 1,
    epochs: 30,
  });
  await button(page, 'Train').click();
  await expectPhase(page, 'stopped');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('diverged');
  await expect(page.locator('#progress-text')).toContainText('Diverged');
  // there is nothing to go on from
  await expect(page.locator('#resume')).toHaveCount(0);
  await expect(page.locator('#app')).not.toContainText('NaN');
  await alert.getByRole('button', { name: 'Train with a rate of 0.1' }).click();
  await expect(page.getByLabel('Learning rate')).toHaveValue('0.1');
  await expectPhase(page, 'done', 60_000);
  expect(await figureOf(page, 'main')).toBeGreaterThan(0);

  // the same rate again
  await page.getByLabel('Learning rate').fill('1');
  await expectPhase(page, 'idle');
  await button(page, 'Train').click();
  await expectPhase(page, 'stopped');
  await alert.getByRole('button', { name: 'Clip gradients at 1' }).click();
  await expect(page.getByLabel('Clip norm')).toHaveValue('1');
  await expectPhase(page, 'done', 60_000);
  expect(page.url()).toContain('clipNorm=1');
  expect(await figureOf(page, 'main')).toBeGreaterThan(0);
  expect(faults).toEqual([]);
});

test('five more epochs go on where the run has ended, as if they had been asked for at first @long', async ({
  page,
}) => {
  const faults = faultsOf(page);
  const params = { ...SPIRALS, epochs: 8 };
  await openTraining(page, params);
  await trainTo(page, 80);
  const loss = await figureOf(page, 'held-out-loss');
  await openTraining(page, { ...params, epochs: 3 });
  await trainTo(page, 30);
  await button(page, 'Five more epochs').click();
  await expect.poll(() => stepOf(page)).toBe(80);
  await expectPhase(page, 'done');
  expect(await figureOf(page, 'held-out-loss')).toBe(loss);
  expect(page.url()).toContain('epochs=8');
  await expect(page.getByLabel('Epochs')).toHaveValue('8');
  // the curve is one from the first step to the last
  const { x } = await plottedUpTo(page.getByRole('img', { name: /^Loss over the steps/ }), 80);
  expect(x[0]).toBe(0);
  expect(faults).toEqual([]);
});

test('the curves of earlier runs stay, in grey, until they are cleared @long', async ({ page }) => {
  const faults = faultsOf(page);
  await openTraining(page, { ...SPIRALS, epochs: 6 });
  await trainTo(page, 60);
  const loss = page.getByRole('img', { name: /^Loss over the steps/ });
  const known = (values: readonly (number | null)[] | undefined) =>
    values?.filter((value) => value !== null);
  const first = (await plottedUpTo(loss, 60)).series[0];
  await page.getByLabel('Activation').selectOption('relu');
  await expectPhase(page, 'idle');
  await trainTo(page, 60);
  const earlier = 'earlier (tanh)';
  await expect
    .poll(async () => (await plottedOf(loss)).series.map(({ label }) => label))
    .toEqual([earlier, 'training', 'held out']);
  expect(known((await plottedOf(loss)).series[0]?.y)).toEqual(known(first?.y));
  await expect(page.locator('#earlier')).toHaveText(/^tanh \(\d/);

  // also where the page is loaded again
  await page.reload();
  await expectPhase(page, 'done');
  await expect
    .poll(async () => (await plottedOf(loss)).series.map(({ label }) => label))
    .toEqual([earlier, 'training', 'held out']);
  expect(known((await plottedOf(loss)).series[0]?.y)).toEqual(known(first?.y));

  // of another task they are not; back at this one they are
  await page.getByRole('link', { name: 'Outliers' }).click();
  await expect(page.locator('#app')).toHaveAttribute('data-task', 'regression');
  await expect(page.locator('#earlier')).toHaveCount(0);
  await page.getByRole('link', { name: 'Two spirals', exact: true }).click();
  await expect(page.locator('#earlier')).toHaveText(
    /^tanh, width 16, layers 2 \(.* · relu, width 16/,
  );

  // what is brought back is in its own colour again
  await back(page).click();
  await expectPhase(page, 'done');
  await expect(page.locator('#earlier')).toHaveText(/^tanh \([^·]*$/);
  await button(page, 'Clear them').click();
  await expect(page.locator('#earlier')).toHaveCount(0);
  expect((await plottedOf(loss)).series.map(({ label }) => label)).toEqual([
    'training',
    'held out',
  ]);
  expect(faults).toEqual([]);
});
