// One run of the digits on the GPU path, and what a person does with the trained network.
import { readFile } from 'node:fs/promises';
import { expect, test, type Page } from 'playwright/test';
import { expectUnblocked, tasksOf, watchBlocking } from './blocking.ts';
import { expectNoOverflow, faultsOf, lookAt, plottedOf, plottedUpTo } from './lab.ts';
import {
  draw,
  expectPhase,
  figureOf,
  ONE,
  openTraining,
  probabilitiesOf,
  stepOf,
  train,
  ZERO,
} from './train-page.ts';

test.describe.configure({ mode: 'serial' });

let page: Page;
let faults: string[];
let tasks: Awaited<ReturnType<typeof tasksOf>>;

test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    colorScheme: 'light',
  });
  page = await context.newPage();
  faults = faultsOf(page);
});
test.afterEach(() => expect(faults).toEqual([]));
test.afterAll(() => page.context().close());

test('two epochs of 8,000 digits reach 91 % on 2,000 unseen ones, on the GPU', async () => {
  await openTraining(page, { backend: 'webgpu', epochs: 2, seed: 1 });
  await expect(page.locator('#device')).toContainText('WebGPU');
  await watchBlocking(page);
  await train(page, 100_000);
  tasks = await tasksOf(page);
  expect(await figureOf(page, 'main')).toBeGreaterThanOrEqual(0.91);
  expect(await stepOf(page)).toBe(2 * 125);
  const speed = await figureOf(page, 'speed');
  expect(speed).toBeGreaterThan(0);
  console.log(`accuracy ${await figureOf(page, 'main')}, ${speed.toFixed(1)} steps/s`);
});

test('the page is not blocked over 100 ms while training', () => {
  expectUnblocked(tasks);
});

test('the figures of each epoch improve, and the layers are healthy', async () => {
  await page.getByText('Figures of each epoch').click();
  const rows = page.locator('#epoch-rows tr');
  await expect(rows).toHaveCount(2);
  const losses = await rows.evaluateAll((all) =>
    all.map((row) => Number(row.children[1]?.textContent)),
  );
  expect(losses[0]).toBeGreaterThan(losses[1] ?? Infinity);
  await page.getByText('Figures of each epoch').click();
  const layers = page.locator('.layer-table tbody tr');
  await expect(layers).toHaveCount(2);
  expect(Number(await layers.first().getAttribute('data-gradient'))).toBeGreaterThan(0);
  expect(Number(await layers.first().getAttribute('data-dead'))).toBeLessThan(0.9);
});

test('the charts show the run, and say so to a screen reader', async () => {
  for (const title of ['Loss', 'Accuracy']) {
    const chart = page.getByRole('img', { name: new RegExp(`^${title} over the steps: now`) });
    await expect(chart).toBeVisible();
    const { series } = await plottedUpTo(chart, 250);
    expect(series.map(({ label }) => label)).toEqual(['training', 'held out']);
  }
  const { series } = await plottedOf(page.getByRole('img', { name: /^Accuracy over/ }));
  expect(series[1]?.y.at(-1)).toBe(await figureOf(page, 'main'));
});

test('the confusion matrix counts every held-out digit, mistakes are shown', async () => {
  const counts = await page
    .locator('.confusion tbody td')
    .evaluateAll((cells) => cells.map((cell) => Number(cell.textContent.trim()) || 0));
  expect(counts).toHaveLength(100);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000);
  const right = counts.filter((_, i) => i % 11 === 0).reduce((sum, count) => sum + count, 0);
  expect(right / 2000).toBeCloseTo(await figureOf(page, 'main'), 6);
  await expect(page.locator('.mistakes img')).toHaveCount(12);
  await expect(page.locator('.mistakes')).toContainText(`${2000 - right} of 2000 misread`);
});

for (const [digit, strokes] of [
  [1, ONE],
  [0, ZERO],
] as const) {
  test(`reads a drawn ${digit}`, async () => {
    await draw(page, strokes);
    await expect(page.locator('#verdict')).toContainText(`Reads as ${digit}`);
    const probabilities = await probabilitiesOf(page);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    expect(probabilities[digit]).toBeGreaterThan(0.5);
  });
}

test('reads a digit drawn with the keyboard', async () => {
  await page.getByRole('button', { name: 'Clear' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+Tab');
  await expect(page.locator('#pad')).toBeFocused();
  await page.keyboard.press('Space');
  await expect(page.locator('#pad-status')).toHaveText('Pen down');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Space');
  await expect(page.locator('#pad-status')).toHaveText('Pen up');
  await expect(page.locator('#verdict')).toContainText('Reads as 1');
  await page.keyboard.press('Delete');
  await expect(page.locator('#verdict')).toContainText('Draw a digit');
  await expect(page.locator('#bars li[data-probability]')).toHaveCount(0);
});

test('reads held-out digits, nearly all of them rightly', async () => {
  let right = 0;
  for (let i = 0; i < 12; i++) {
    await page.getByRole('button', { name: 'Random test digit' }).click();
    await expect(page.locator('#verdict')).toContainText('it is labelled');
    const words = (await page.locator('#verdict').textContent()) ?? '';
    const [, read, truth] = /Reads as (\d).*labelled (\d)/.exec(words) ?? [];
    if (read === truth) right++;
  }
  // at 91 % right, fewer than 7 of 12 happen once in 30,000 runs
  expect(right).toBeGreaterThanOrEqual(7);
});

test('fits desktop and phone, in light and dark', async () => {
  await draw(page, ZERO);
  await expect(page.locator('#verdict')).toContainText('Reads as 0');
  await lookAt(page, 'train-digits');
});

test('fits very small and very large windows, and holds still where that is wished', async () => {
  for (const viewport of [
    { width: 320, height: 480 },
    { width: 2560, height: 1440 },
  ]) {
    await page.setViewportSize(viewport);
    await expectNoOverflow(page);
  }
  // settings are folded away where there is little room
  await expect(page.getByLabel('Activation')).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(page.getByLabel('Activation')).toBeHidden();
  await page.getByText('Settings relu').click();
  await expect(page.getByLabel('Activation')).toBeVisible();
  await page.setViewportSize({ width: 1280, height: 900 });
  const transition = () =>
    page
      .locator('#bars .bar')
      .first()
      .evaluate((bar) => getComputedStyle(bar).transitionDuration);
  expect(await transition()).toBe('0.12s');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await transition()).toBe('0s');
  await page.emulateMedia({ reducedMotion: 'no-preference' });
});

test('the model is saved as safetensors and loaded again, the same in every figure', async () => {
  const loss = await figureOf(page, 'held-out-loss');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save model' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('nonlin-digits-relu.safetensors');
  const path = await file.path();
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE(0));
  type Entry = Record<string, { shape: number[]; dtype: string }>;
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Entry;
  const shapes = Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, { shape, dtype }]) => [name, `${dtype} ${shape.join('x')}`]),
  );
  // PyTorch's names and layouts
  expect(shapes).toEqual({
    '0.weight': 'F32 128x784',
    '0.bias': 'F32 128',
    '2.weight': 'F32 10x128',
    '2.bias': 'F32 10',
  });

  await page.goto('about:blank');
  await openTraining(page, { backend: 'webgpu', activation: 'tanh' });
  await page.locator('#load').setInputFiles(path);
  await expectPhase(page, 'stopped');
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 6);
  // the configuration came with it
  await expect(page.getByLabel('Activation')).toHaveValue('relu');
  expect(page.url()).toContain('epochs=2');
  await draw(page, ONE);
  await expect(page.locator('#verdict')).toContainText('Reads as 1');

  // another program's file says nothing of the network: it goes into one of the settings' shape
  const { __metadata__: _, ...rest } = header;
  const plain = Buffer.from(JSON.stringify(rest));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(plain.length));
  const load = (name: string, buffer: Buffer) =>
    page.locator('#load').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  await page.getByLabel('Seed').fill('5');
  await expectPhase(page, 'idle');
  await load('plain.safetensors', Buffer.concat([size, plain, bytes.subarray(8 + length)]));
  await expectPhase(page, 'stopped');
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 6);
  await expect(page.getByLabel('Seed')).toHaveValue('5');

  await load('broken.safetensors', Buffer.from('no such file'));
  await expect(page.getByRole('alert')).toContainText('expected a safetensors file');
});
