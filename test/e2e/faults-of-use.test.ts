// What gets into a person's way: refusals out of sight, lost places, names that a search does not know, sliders that reach
// values an op refuses, marks that stay, words about keys where there are none.
import { expect, test } from 'playwright/test';
import { expectNoOverflow, faultsOf, openView, plottedOf } from './lab.ts';

test('a refusal is seen where one is', async ({ page }) => {
  await openView(page, 'functions', { backend: 'cpu', compare: 'relu,gelu,silu,mish' });
  const box = page.locator('#op-tanh').getByLabel('Compare');
  await box.scrollIntoViewIfNeeded();
  expect(await page.evaluate(() => scrollY)).toBeGreaterThan(1000);
  await box.click();
  await expect(box).not.toBeChecked();
  const words = page.locator('#alerts').getByText('Up to 4 can be compared');
  await expect(words).toBeInViewport();
});

test('going back, and a reload, lead to the place that one left @long', async ({ page }) => {
  const faults = faultsOf(page);
  await openView(page, 'functions', { backend: 'cpu' });
  await page.locator('#op-mish').evaluate((card) => card.scrollIntoView({ block: 'start' }));
  expect(await page.evaluate(() => scrollY)).toBeGreaterThan(1000);
  // by the card: fonts that arrive move what is above it
  const top = () => page.locator('#op-mish').evaluate((card) => card.getBoundingClientRect().top);
  const place = await top();
  const backThere = () => expect.poll(async () => Math.abs((await top()) - place)).toBeLessThan(30);
  await page.getByRole('link', { name: 'Losses' }).click();
  await expect(page.locator('main h1')).toHaveText('Losses');
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(0);
  await page.goBack();
  await expect(page.locator('main h1')).toHaveText('Activation functions');
  await backThere();
  await page.reload();
  await expect(page.locator('#op-mish')).toBeVisible();
  await backThere();
  // what was set in a view is there when its link leads back to it
  await page.getByRole('searchbox').fill('gelu');
  await page.getByRole('link', { name: 'Losses' }).click();
  await page.getByRole('link', { name: 'Functions' }).click();
  await expect(page.getByRole('searchbox')).toHaveValue('gelu');
  expect(faults).toEqual([]);
});

for (const [view, looked] of [
  [
    'functions',
    { swish: 'silu', 'dead units': 'leakyRelu', clip: 'hardtanh', logistic: 'sigmoid' },
  ],
  [
    'losses',
    {
      bce: 'binaryCrossEntropyWithLogits',
      mae: 'l1Loss',
      l2: 'mseLoss',
      contrastive: 'infoNceLoss',
      pinball: 'quantileLoss',
    },
  ],
] as const) {
  test(`the search of ${view} knows the other names`, async ({ page }) => {
    await openView(page, view, { backend: 'cpu' });
    for (const [words, op] of Object.entries(looked)) {
      await page.getByRole('searchbox').fill(words);
      await expect(page.locator(`#op-${op}`)).toBeVisible();
      await expect(page.locator('.count')).not.toHaveText(/^(\d+) of \1$/);
    }
  });
}

test('no slider reaches a value that its op refuses @long', async ({ page }) => {
  for (const view of ['functions', 'losses']) {
    await openView(page, view, { backend: 'cpu' });
    for (const end of ['min', 'max'] as const) {
      await page.locator('.card input[type="range"]').evaluateAll((all, which) => {
        for (const slider of all as HTMLInputElement[]) {
          delete slider.closest<HTMLElement>('.card')?.dataset.drawn;
          slider.value = slider[which];
          slider.dispatchEvent(new Event('input', { bubbles: true }));
        }
      }, end);
      // the cards that are out of sight are drawn as well
      const waiting = page.locator(
        '.card:has(input[type="range"]):not([data-drawn]):not(:has(.fault-line))',
      );
      await expect(waiting).toHaveCount(0, { timeout: 60_000 });
      expect(await page.locator('.card .fault-line').allTextContents()).toEqual([]);
    }
  }
});

test('the outlier leaves nothing behind as it is dragged', async ({ page }) => {
  await openView(page, 'losses', { backend: 'cpu' });
  const handle = page.locator('.scatter .handle');
  const box = await handle.boundingBox();
  if (!box) throw new Error('no handle');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x - 60, box.y - 40, { steps: 4 });
  await page.mouse.up();
  const outline = () => handle.evaluate((ring) => getComputedStyle(ring).outlineStyle);
  await expect(handle).toBeFocused();
  expect(await outline()).toBe('none');
  // by keyboard the ring itself says where one is
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  expect(await outline()).toBe('none');
  expect(await handle.evaluate((ring) => getComputedStyle(ring).strokeWidth)).toBe('9px');
});

test('under a finger nothing is said of keys, and the pad draws', async ({ browser }) => {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  const page = await context.newPage();
  for (const view of ['losses', 'train']) {
    await openView(page, view, { backend: 'cpu' });
    await expect(page.locator('.about-keys').first()).toBeAttached();
    for (const words of await page.locator('.about-keys').all()) await expect(words).toBeHidden();
    await expectNoOverflow(page);
  }
  await context.close();
});

test('the theme button’s first press is seen, on light systems and on dark ones', async ({
  page,
}) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await openView(page, 'accuracy', { backend: 'cpu' });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await background();
    await page.getByRole('button', { name: /^Theme/ }).click();
    expect(await background()).not.toBe(before);
    await page.evaluate(() => localStorage.clear());
  }
});

test('a plot under another theme keeps what it shows', async ({ page }) => {
  await openView(page, 'functions', { backend: 'cpu' });
  const plot = page.locator('.comparison .plot').first();
  await expect(page.locator('.comparison')).toHaveAttribute('data-drawn', /silu/);
  const before = await plottedOf(plot);
  await page.getByRole('button', { name: /^Theme/ }).click();
  expect(await plottedOf(plot)).toEqual(before);
});
