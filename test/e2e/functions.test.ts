// The view of activations: what is plotted is what the ops compute, on WebGPU and on the CPU.
import { expect, test, type Page } from 'playwright/test';
import { faultsOf, lookAt, openView, plottedOf } from './lab.ts';

const EXPECTED: Readonly<Record<string, (x: number) => number>> = {
  relu: (x) => Math.max(0, x),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
};

const cardOf = (page: Page, op: string) => page.locator(`#op-${op}`);

async function drawn(page: Page, device: string): Promise<void> {
  await expect(page.locator(`.card:not([data-drawn="${device}"])`)).toHaveCount(0);
}

/** The numbers behind every card's picture. */
async function allPlotted(page: Page): Promise<Record<string, number[]>> {
  return page.locator('.card').evaluateAll((cards) =>
    Object.fromEntries(
      cards.map((card) => {
        const frame = [...card.querySelectorAll('.plot, .picture')].find(
          (element) => 'plotted' in element,
        );
        const { series } = Reflect.get(frame ?? {}, 'plotted') as {
          series: { y: ArrayLike<number> }[];
        };
        return [card.id, series.flatMap(({ y }) => Array.from(y))];
      }),
    ),
  );
}

test('every function is plotted from what it computes, the same on WebGPU as on the CPU @long', async ({
  page,
}) => {
  const faults = faultsOf(page);
  // a window so high that every card is near
  await page.setViewportSize({ width: 1280, height: 13_000 });
  await openView(page, 'functions', { backend: 'webgpu' });
  await drawn(page, 'webgpu');
  const onGpu = await allPlotted(page);
  expect(Object.keys(onGpu).length).toBeGreaterThanOrEqual(35);
  for (const [op, f] of Object.entries(EXPECTED)) {
    const { x, series } = await plottedOf(cardOf(page, op).locator('.plot'));
    const y = series.find(({ label }) => label === 'f')?.y ?? [];
    expect(x).toHaveLength(401);
    x.forEach((at, i) => expect(y[i], `${op}(${at})`).toBeCloseTo(f(at), 5));
    const slope = series.find(({ label }) => label === 'f′')?.y ?? [];
    const h = 1e-4;
    for (const i of [30, 170, 260, 390]) {
      const at = x[i] ?? NaN;
      expect(slope[i], `${op}′(${at})`).toBeCloseTo((f(at + h) - f(at - h)) / (2 * h), 4);
    }
  }
  await page.getByLabel('Run on').selectOption('cpu');
  await drawn(page, 'cpu');
  const onCpu = await allPlotted(page);
  // what is random is drawn again
  for (const [op, values] of Object.entries(onCpu).filter(([id]) => id !== 'op-gumbelSoftmax')) {
    const others = onGpu[op] ?? [];
    expect(others).toHaveLength(values.length);
    const worst = Math.max(
      ...values.map((value, i) => Math.abs(value - (others[i] ?? NaN)) / (1 + Math.abs(value))),
    );
    expect(worst, op).toBeLessThan(1e-5);
  }
  expect(faults).toEqual([]);
});

test('sliders, comparison, search and filter; the address holds them all', async ({ page }) => {
  const faults = faultsOf(page);
  await openView(page, 'functions', { backend: 'cpu' });
  const leaky = cardOf(page, 'leakyRelu');
  await leaky.getByLabel('negativeSlope').fill('0.2');
  await expect
    .poll(async () => (await plottedOf(leaky.locator('.plot'))).series[1]?.y[0])
    .toBeCloseTo(-1, 6);
  await expect(leaky.locator('code')).toContainText('leakyRelu(x, { negativeSlope: 0.2 })');
  // an option that the op refuses says why, and the picture stays
  // (no slider reaches one, an address does)
  await page.evaluate(() => (location.hash += ',rrelu.lower:0.9'));
  await expect(cardOf(page, 'rrelu').getByRole('alert')).toContainText('expected');
  await cardOf(page, 'rrelu').getByLabel('lower').fill('0.1');
  await expect(cardOf(page, 'rrelu').getByRole('alert')).toHaveCount(0);

  await leaky.getByLabel('Compare').check();
  await expect(page.locator('.comparison')).toHaveAttribute(
    'data-drawn',
    'relu, gelu, silu, leakyRelu',
  );
  const compared = await plottedOf(page.locator('.comparison .plot').first());
  expect(compared.series.map(({ label }) => label)).toEqual(['relu', 'gelu', 'silu', 'leakyRelu']);
  expect(compared.series[3]?.y[0]).toBeCloseTo(-1, 6);
  // no room for a fifth
  const celu = cardOf(page, 'celu').getByLabel('Compare');
  await celu.click();
  await expect(celu).not.toBeChecked();
  await expect(page.locator('#alerts')).toContainText('Up to 4');
  await page.getByRole('button', { name: 'Remove gelu from the comparison' }).click();
  await expect(page.locator('.chip')).toHaveCount(3);

  await page.getByRole('searchbox').fill('probabilities');
  await expect(cardOf(page, 'softmax')).toBeVisible();
  await expect(cardOf(page, 'relu')).toBeHidden();
  await page.getByLabel('Kind').selectOption('Row-wise');
  const address = page.url();
  const before = await page.locator('.card:visible').evaluateAll((all) => all.map(({ id }) => id));

  await page.goto('about:blank');
  await page.goto(address);
  await expect(page.locator('.chip')).toHaveText([/relu/, /silu/, /leakyRelu negativeSlope 0.2/]);
  await expect(page.getByRole('searchbox')).toHaveValue('probabilities');
  await expect(page.getByLabel('Kind')).toHaveValue('Row-wise');
  await expect
    .poll(() => page.locator('.card:visible').evaluateAll((all) => all.map(({ id }) => id)))
    .toEqual(before);
  await page.getByRole('searchbox').fill('no such thing');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  expect(faults).toEqual([]);
});

test('logits can be moved by keyboard, and a temperature flattens the row', async ({ page }) => {
  await openView(page, 'functions', { backend: 'cpu', group: 'Row-wise' });
  const card = cardOf(page, 'softmax');
  const rows = card.locator('.picture');
  const results = async () => (await plottedOf(rows)).series[0]?.y ?? [];
  await card.scrollIntoViewIfNeeded();
  await expect(card).toHaveAttribute('data-drawn', 'cpu');
  await expect.poll(async () => (await results())[0]).toBeCloseTo(0.608, 3);
  await card.getByLabel('Logit 5').focus();
  await page.keyboard.press('End');
  await expect.poll(async () => (await results())[4]).toBeGreaterThan(0.9);
  await card.getByLabel('temperature').fill('5');
  await expect.poll(async () => (await results())[4]).toBeLessThan(0.45);
  expect((await results()).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
});

test('fits every window, in both themes, and axe has nothing serious to say @long', async ({
  page,
}) => {
  await openView(page, 'functions', { backend: 'webgpu' });
  await expect(page.locator('.comparison')).toHaveAttribute('data-drawn', /silu/);
  await lookAt(page, 'functions', false);
});
