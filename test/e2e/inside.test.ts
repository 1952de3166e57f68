// What the page shows of the inside of networks, held to the file that they are saved in.
import { readFile } from 'node:fs/promises';
import { expect, test, type Page } from 'playwright/test';
import { faultsOf, lookAt, plottedOf } from './lab.ts';
import { expectPhase, openTraining, train } from './train-page.ts';

interface Kept {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The tensors of the model that the page saves. */
async function savedBy(page: Page): Promise<Record<string, Kept>> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save model' }).click();
  const bytes = await readFile(await (await download).path());
  const length = Number(bytes.readBigUInt64LE(0));
  type Entry = { shape: number[]; data_offsets: [number, number] };
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, Entry>;
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return Object.fromEntries(
    entries.map(([name, { shape, data_offsets: ends }]) => {
      const [from, to] = ends.map((end) => 8 + length + end);
      return [name, { shape, values: new Float32Array(bytes.buffer.slice(from, to)) }];
    }),
  );
}

const SMALL = { epochs: 3, width: 32, layers: 3 };

for (const backend of ['webgpu', 'cpu']) {
  test(`the spirals’ hidden units, at every point of the plane, on ${backend}${backend === 'webgpu' ? ' @long' : ''}`, async ({
    page,
  }) => {
    const faults = faultsOf(page);
    await page.setViewportSize({ width: 1280, height: 720 });
    await openTraining(page, { backend, task: 'spirals', ...SMALL });
    await train(page);
    const canvases = page.locator('.unit-pictures canvas');
    await expect(canvases).toHaveCount(3);
    const { '0.weight': weight, '0.bias': bias } = await savedBy(page);
    const at = (i: number) => 1.15 * ((2 * (i + 0.5)) / 24 - 1);
    const expected = (unit: number, place: number) => {
      const [x, y] = [at(place % 24), -at(Math.floor(place / 24))];
      const [w0 = NaN, w1 = NaN] = weight?.values.subarray(2 * unit) ?? [];
      return Math.tanh(x * w0 + y * w1 + (bias?.values[unit] ?? NaN));
    };
    // as it is in the end, not as at some step before
    await expect
      .poll(async () => {
        const { series } = await plottedOf(canvases.first());
        return Math.max(
          ...series.flatMap(({ y }, unit) =>
            y.map((value, place) => Math.abs(value - expected(unit, place))),
          ),
        );
      })
      .toBeLessThan(1e-5);
    expect((await plottedOf(canvases.nth(2))).series).toHaveLength(24);
    expect(faults).toEqual([]);
  });
}

test('the digits’ first weights, as they are saved; histograms of each layer @long', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openTraining(page, { backend: 'cpu', epochs: 1, width: 32 });
  await train(page, 100_000);
  const canvas = page.locator('.unit-pictures canvas');
  const { '0.weight': weight } = await savedBy(page);
  await expect
    .poll(async () => (await plottedOf(canvas)).series.flatMap(({ y }) => y))
    .toEqual([...(weight?.values.subarray(0, 24 * 784) ?? [])]);
  // nobody has seen the histograms so far
  const histogram = page.locator('.histograms figure');
  await histogram.scrollIntoViewIfNeeded();
  await expect(histogram).toHaveCount(1);
  await expect(page.locator('.histograms + .help')).toContainText('filled after step 125');
  // about half of relu's results are 0
  const zero = Number(await histogram.getAttribute('data-zero'));
  expect(zero).toBeGreaterThan(0.2);
  expect(zero).toBeLessThan(0.9);
  expect(Number(await histogram.getAttribute('data-mean'))).toBeGreaterThan(0);
  await lookAt(page, 'train-inside-digits');
  expect(faults).toEqual([]);
});

test('the digits’ first weights are seen learning, on WebGPU @long', async ({ page }) => {
  const faults = faultsOf(page);
  await openTraining(page, { backend: 'webgpu', epochs: 100, width: 64 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  const canvas = page.locator('.unit-pictures canvas');
  await expect(canvas).toHaveCount(1);
  // three pictures of a network that is learning, each another one
  const seen: number[][] = [];
  await expect
    .poll(async () => {
      const [first] = (await plottedOf(canvas)).series;
      const now = first?.y ?? [];
      if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
      return seen.length;
    })
    .toBeGreaterThanOrEqual(3);
  await expectPhase(page, 'running');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expectPhase(page, 'stopped');
  expect(faults).toEqual([]);
});

test('loss, pad and pictures are on one screen of 1280 by 720 @long', async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await openTraining(page, { backend: 'cpu', epochs: 1, width: 16 });
  await train(page, 100_000);
  const whole = async (...selectors: string[]) => {
    for (const selector of selectors) {
      await expect(page.locator(selector).first()).toBeInViewport({ ratio: 1 });
    }
  };
  await page.evaluate(() => scrollTo(0, 0));
  await whole('.charts .plot', '#pad', '#bars', '.unit-pictures canvas', '#train');
  await openTraining(page, { backend: 'cpu', task: 'spirals', epochs: 6 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expectPhase(page, 'done');
  await expect(page.locator('.unit-pictures canvas')).toHaveCount(3);
  await whole('.charts .plot', '.boundaries canvas', '#train');
  for (const canvas of await page.locator('.unit-pictures canvas').all()) {
    await expect(canvas).toBeInViewport({ ratio: 1 });
  }
  await lookAt(page, 'train-inside-spirals');
});
