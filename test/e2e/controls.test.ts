// The controls of the page, on the GPU path with networks small enough to be quick.
import { expect, test } from 'playwright/test';
import { faultsOf } from './lab.ts';
import { expectPhase, figureOf, openTraining, stepOf, train } from './train-page.ts';

const SMALL = { backend: 'webgpu', width: 16, batchSize: 100, epochs: 1 };

test('pause holds the steps, resume goes on, stop keeps the network, reset clears it', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openTraining(page, { ...SMALL, epochs: 50 });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  await button('Train').click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(10);
  await expect(page.locator('#time-left')).toContainText('left');
  await expect(page.getByLabel('Activation')).toBeDisabled();

  await button('Pause').click();
  await expectPhase(page, 'paused');
  const held = await stepOf(page);
  await page.waitForTimeout(700);
  expect(await stepOf(page)).toBe(held);

  await button('Resume').click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(held + 10);

  await button('Stop').click();
  await expectPhase(page, 'stopped');
  const stopped = await stepOf(page);
  await page.getByRole('button', { name: 'Random test digit' }).click();
  await expect(page.locator('#verdict')).toContainText('Reads as');
  expect(await stepOf(page)).toBe(stopped);
  await expect(button('Train')).toBeEnabled();

  await button('Reset').click();
  await expectPhase(page, 'idle');
  await expect(page.locator('#progress-text')).toHaveText('Not started');
  await expect(page.locator('[data-figure="main"]')).toHaveText('–');
  await expect(page.locator('#verdict')).toContainText('Train the network first');
  await expect(page.getByLabel('Activation')).toBeEnabled();

  // stop works while paused
  await button('Train').click();
  await button('Pause').click();
  await expectPhase(page, 'paused');
  await button('Stop').click();
  await expectPhase(page, 'stopped');
  expect(faults).toEqual([]);
});

test('another activation, loss and optimizer train as well @long', async ({ page }) => {
  const faults = faultsOf(page);
  await openTraining(page, { ...SMALL, batchSize: 80 });
  for (const [activation, loss, optimizer] of [
    ['tanh', 'focalLoss', 'adamw'],
    ['sigmoid', 'nllLoss', 'momentum'],
  ] as const) {
    await page.getByLabel('Activation').selectOption(activation);
    await page.getByLabel('Loss', { exact: true }).selectOption(loss);
    await page.getByLabel('Optimizer').selectOption(optimizer);
    await train(page);
    expect(await figureOf(page, 'main')).toBeGreaterThan(0.55);
  }
  expect(faults).toEqual([]);
});

test('the same seed gives the same figures @long', async ({ page }) => {
  await openTraining(page, { ...SMALL, batchSize: 400, seed: 7 });
  const figures: number[] = [];
  for (const seed of ['7', '7', '8']) {
    await page.getByLabel('Seed').fill(seed);
    await train(page);
    figures.push(await figureOf(page, 'held-out-loss'));
  }
  // of two wishes to train the later one is granted, and nothing of the first remains
  await page.getByLabel('Seed').fill('7');
  await page.getByRole('button', { name: 'Train', exact: true }).dblclick();
  await expectPhase(page, 'done', 60_000);
  figures.push(await figureOf(page, 'held-out-loss'));
  expect(figures[3]).toBe(figures[0]);
  expect(figures[0]).toBeGreaterThan(0);
  expect(figures[0]).toBe(figures[1]);
  expect(figures[0]).not.toBe(figures[2]);
});

test('training can be left for another task or view at any moment @long', async ({ page }) => {
  const faults = faultsOf(page);
  await openTraining(page, { backend: 'cpu', task: 'regression' });
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  for (const [wait, next] of [
    [0, 'Two spirals'],
    [60, 'Outliers'],
    [130, 'Two spirals'],
    [250, 'Outliers'],
  ] as const) {
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.waitForTimeout(wait);
    await link(next).click();
    await expect(page.locator('.task-tabs [aria-current]')).toHaveText(next);
    await expectPhase(page, 'idle');
  }
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  // pictures are being asked for by then
  await page.waitForTimeout(600);
  await expectPhase(page, 'running');
  await link('Functions').click();
  await expect(page.locator('main h1')).not.toHaveText('Train');
  await link('Train').click();
  await expectPhase(page, 'stopped');
  expect(faults).toEqual([]);
});

test('a whole run by keyboard alone', async ({ page }) => {
  await openTraining(page, { ...SMALL, batchSize: 200, epochs: 40 });
  // a setting out of range is refused at its field
  await page.getByLabel('Width').fill('0');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect(page.locator('#width:invalid')).toBeFocused();
  await expectPhase(page, 'idle');
  await page.getByLabel('Width').fill('16');
  await page.getByLabel('Activation').focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByLabel('Activation')).not.toHaveValue('relu');
  for (let presses = 0; presses < 30; presses++) {
    if (await page.evaluate(() => document.activeElement?.id === 'train')) break;
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expectPhase(page, 'running');
  // the button pressed is disabled now: focus goes on to the next useful one
  await expect(page.locator('#pause')).toBeFocused();
  await page.keyboard.press('Space');
  await expectPhase(page, 'paused');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expectPhase(page, 'stopped');
  await expect(page.locator('#train')).toBeFocused();
});
