// The front page: three networks learn by themselves, a pad is read at once, and neither moves where that is not wished.
import { readFileSync } from 'node:fs';
import { expect, test, type Page } from 'playwright/test';
import { expectUnblocked, tasksOf, watchBlocking } from './blocking.ts';
import { faultsOf, lookAt, plottedOf } from './lab.ts';
import { draw, ONE, probabilitiesOf, ZERO } from './train-page.ts';

const home = (page: Page) => page.locator('.home');
const progressOf = async (page: Page) => Number(await home(page).getAttribute('data-progress'));

async function open(page: Page, backend = 'cpu'): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`/#/?backend=${backend}`);
  await expect(page.locator('main')).toHaveAttribute('data-device', backend);
  await expect(page.locator('main h1')).toBeVisible();
}

for (const backend of ['webgpu', 'cpu']) {
  test(`three spirals are learned side by side, and a digit is read, on ${backend}${backend === 'webgpu' ? ' @long' : ''}`, async ({
    page,
  }) => {
    const faults = faultsOf(page);
    await open(page, backend);
    await expect(home(page)).toHaveAttribute('data-phase', 'running');
    if (backend === 'cpu') await watchBlocking(page);
    // before anything is trained
    await draw(page, ONE);
    await expect(page.locator('#verdict')).toContainText('Reads as 1');
    await draw(page, ZERO);
    await expect(page.locator('#verdict')).toContainText('Reads as 0');
    const probabilities = await probabilitiesOf(page);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    expect(probabilities[0]).toBeGreaterThan(0.5);
    await expect(home(page)).toHaveAttribute('data-phase', 'ended', { timeout: 90_000 });
    if (backend === 'cpu') expectUnblocked(await tasksOf(page));
    for (const [i, name] of ['relu', 'gelu', 'tanh'].entries()) {
      const racer = page.locator(`[data-racer="${name}"]`);
      expect(Number(await racer.getAttribute('data-accuracy'))).toBeGreaterThan(0.9);
      const { series } = await plottedOf(page.locator('.racers canvas').nth(i));
      const shares = series[0]?.y ?? [];
      expect(shares).toHaveLength(1600);
      const sure = shares.filter((share) => share < 0.1 || share > 0.9).length / shares.length;
      expect(sure).toBeGreaterThan(0.4);
    }
    if (backend === 'cpu') await lookAt(page, 'home');
    expect(faults).toEqual([]);
  });
}

test('what is said of the digits’ accuracy is what the file says', async ({ page }) => {
  await open(page);
  const bytes = readFileSync(new URL('../../demo/public/digits.safetensors', import.meta.url));
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString();
  const { __metadata__: said } = JSON.parse(header) as { __metadata__: Record<string, string> };
  const percent = (100 * Number(said['nonlin.accuracy'])).toFixed(1);
  await expect(page.locator('.home-pad')).toContainText(`${percent} % of 2,000 others`);
});

test('the third activation can be picked, and the race paused', async ({ page }) => {
  const faults = faultsOf(page);
  await open(page);
  await expect.poll(() => progressOf(page)).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.waitForTimeout(600);
  const held = await progressOf(page);
  await page.waitForTimeout(600);
  expect(await progressOf(page)).toBe(held);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect.poll(() => progressOf(page)).toBeGreaterThan(held);
  await page.getByLabel('Activation of the third network').selectOption('silu');
  await expect(page.locator('[data-racer="silu"]')).toBeVisible();
  expect(page.url()).toContain('third=silu');
  await page.reload();
  await expect(page.getByLabel('Activation of the third network')).toHaveValue('silu');
  // leaving while it learns leaves nothing behind
  await page.getByRole('link', { name: 'Functions', exact: true }).click();
  await expect(page.locator('main h1')).toHaveText('Activation functions');
  await page.getByRole('link', { name: 'nonlin' }).click();
  await expect(page.getByLabel('Activation of the third network')).toHaveValue('silu');
  expect(faults).toEqual([]);
});

test('nothing moves by itself where that is not wished, or where nobody looks', async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  await page.waitForTimeout(500);
  await expect(home(page)).toHaveAttribute('data-phase', 'waiting');
  await page.getByRole('button', { name: 'Start' }).click();
  await expect.poll(() => progressOf(page)).toBeGreaterThan(0);

  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  await page.waitForTimeout(600);
  const held = await progressOf(page);
  await page.waitForTimeout(600);
  expect(await progressOf(page)).toBe(held);
  await hide(false);
  await expect.poll(() => progressOf(page)).toBeGreaterThan(held);
});
