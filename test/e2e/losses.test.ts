// The view of losses: curves and fitted lines are what the losses say, on WebGPU and on the CPU.
import { expect, test, type Page } from 'playwright/test';
import { faultsOf, lookAt, openView, plottedOf } from './lab.ts';

const cardOf = (page: Page, op: string) => page.locator(`#op-${op}`);

interface Fitted {
  readonly device: string;
  readonly points: { x: number; y: number }[];
  readonly lines: Record<string, { slope: number; intercept: number }>;
}

async function fitted(page: Page, device: string, outlier: { x: number; y: number }) {
  const exhibit = page.locator('.outlier');
  const read = async (): Promise<Fitted> =>
    JSON.parse((await exhibit.getAttribute('data-fitted')) ?? '{"points":[]}') as Fitted;
  await expect
    .poll(async () => {
      const now = await read();
      return [now.device, now.points.at(-1)];
    })
    .toEqual([device, outlier]);
  return read();
}

type Residual = (d: number) => number;
const RESIDUALS: Readonly<Record<string, Residual>> = {
  mseLoss: (d) => d * d,
  l1Loss: Math.abs,
  huberLoss: (d) => (Math.abs(d) > 1 ? Math.abs(d) - 0.5 : (d * d) / 2),
};

/** The smallest mean of a convex residual: a ternary search over the slope, and over the intercept in it. */
function leastOf(points: Fitted['points'], residual: Residual): number {
  const mean = (slope: number, intercept: number) =>
    points.reduce((sum, { x, y }) => sum + residual(slope * x + intercept - y), 0) / points.length;
  const least = (f: (v: number) => number): number => {
    let [low, high] = [-5, 5];
    for (let i = 0; i < 80; i++) {
      const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
      if (f(a) < f(b)) high = b;
      else low = a;
    }
    return f((low + high) / 2);
  };
  return least((slope) => least((intercept) => mean(slope, intercept)));
}

for (const backend of ['webgpu', 'cpu']) {
  test(`each loss fits its own line to a dragged outlier, on ${backend}${backend === 'webgpu' ? ' @long' : ''}`, async ({
    page,
  }) => {
    const faults = faultsOf(page);
    await openView(page, 'losses', { backend });
    await fitted(page, backend, { x: 2, y: -3 });
    const handle = page.getByRole('slider', { name: /^Outlier/ });
    if (backend === 'cpu') {
      const box = await handle.boundingBox();
      const frame = await page.locator('.scatter').boundingBox();
      if (!box || !frame) throw new Error('no picture');
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
      await page.mouse.move(frame.x + frame.width * 0.5, frame.y + frame.height * 0.25);
      await page.mouse.up();
    } else {
      await handle.focus();
      for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowUp');
      for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowUp');
      for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowUp');
      for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowLeft');
    }
    const at = backend === 'cpu' ? { x: 0, y: 2 } : { x: 0, y: 3 };
    const { points, lines } = await fitted(page, backend, at);
    expect(points).toHaveLength(13);
    for (const [name, residual] of Object.entries(RESIDUALS)) {
      const line = lines[name];
      if (!line) throw new Error(`no line of ${name}`);
      const reached =
        points.reduce((sum, { x, y }) => sum + residual(line.slope * x + line.intercept - y), 0) /
        points.length;
      const least = leastOf(points, residual);
      expect(reached, name).toBeGreaterThan(least - 1e-4);
      expect(reached, name).toBeLessThan(least * 1.01 + 1e-3);
    }
    // squared error follows the outlier, the others much less
    const rise = (name: string) => lines[name]?.intercept ?? NaN;
    expect(rise('mseLoss')).toBeGreaterThan(2 * rise('l1Loss'));
    expect(faults).toEqual([]);
  });
}

test('every loss has a card, plotted from what it computes, the same on both devices @long', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await page.setViewportSize({ width: 1280, height: 22_000 });
  const curves: Record<string, number[]>[] = [];
  for (const backend of ['webgpu', 'cpu']) {
    await openView(page, 'losses', { backend });
    await expect(page.locator(`.card:not([data-drawn="${backend}"])`)).toHaveCount(0);
    curves.push(
      await page.locator('.card').evaluateAll((cards) =>
        Object.fromEntries(
          cards.map((card) => {
            const frame = [...card.querySelectorAll('.plot')].find(
              (element) => 'plotted' in element,
            );
            // one that has no picture has no numbers either
            const plotted = Reflect.get(frame ?? {}, 'plotted') as
              { series: { y: ArrayLike<number> }[] } | undefined;
            return [card.id, (plotted?.series ?? []).flatMap(({ y }) => Array.from(y))];
          }),
        ),
      ),
    );
  }
  const [onGpu = {}, onCpu = {}] = curves;
  const drawn = Object.values(onGpu).filter(({ length }) => length > 0).length;
  expect(drawn).toBeGreaterThan(0);
  expect(drawn).toBe(Object.keys(onGpu).length);
  for (const [op, values] of Object.entries(onCpu)) {
    const others = onGpu[op] ?? [];
    expect(others).toHaveLength(values.length);
    const worst = Math.max(
      0,
      ...values.map((value, i) => Math.abs(value - (others[i] ?? NaN)) / (1 + Math.abs(value))),
    );
    expect(worst, op).toBeLessThan(1e-4);
  }
  const huber = await plottedOf(cardOf(page, 'huberLoss').locator('.plot'));
  const cross = await plottedOf(cardOf(page, 'crossEntropy').locator('.plot'));
  const of = (plotted: typeof huber, label: string) =>
    plotted.series.find((series) => series.label === label)?.y ?? [];
  huber.x.forEach((x, i) => {
    expect(of(huber, 'loss')[i]).toBeCloseTo(Math.abs(x) > 1 ? Math.abs(x) - 0.5 : x ** 2 / 2, 5);
    expect(of(huber, 'gradient')[i]).toBeCloseTo(Math.min(1, Math.max(-1, x)), 5);
  });
  cross.x.forEach((x, i) => {
    const p = Math.exp(x) / (Math.exp(x) + 2);
    expect(of(cross, 'loss')[i]).toBeCloseTo(-Math.log(p), 5);
    expect(of(cross, 'gradient')[i]).toBeCloseTo(p - 1, 5);
  });
  expect(faults).toEqual([]);
});

test('targets, options and comparison; only losses over the same axis are compared', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await openView(page, 'losses', { backend: 'cpu' });
  const card = cardOf(page, 'huberLoss');
  await card.getByLabel('delta').fill('0.5');
  await card.getByLabel('target').fill('2');
  await expect
    .poll(async () => {
      const { x, series } = await plottedOf(card.locator('.plot'));
      const loss = series.find(({ label }) => label === 'loss')?.y ?? [];
      return x[loss.indexOf(Math.min(...loss))];
    })
    .toBeCloseTo(2, 1);
  await expect(card.locator('code')).toContainText('huberLoss(input, target, { delta: 0.5 })');
  await expect(page.locator('.comparison .chip').nth(2)).toContainText('delta 0.5');
  await cardOf(page, 'crossEntropy').getByLabel('Compare').click();
  await expect(page.locator('#alerts')).toContainText('another horizontal axis');
  await expect(page.locator('.comparison .chip')).toHaveCount(3);

  // the exhibit over the probability of the true class
  const curves = page.locator('.classification .plot').first();
  await page.locator('.classification').getByLabel('gamma').fill('0');
  await expect
    .poll(async () => {
      const { series } = await plottedOf(curves);
      const of = (name: string) => series.find(({ label }) => label === name)?.y ?? [];
      return Math.abs((of('focal')[20] ?? NaN) - (of('cross-entropy')[20] ?? 0));
    })
    .toBeLessThan(1e-6);
  const { x, series } = await plottedOf(curves);
  const ce = series[0]?.y ?? [];
  x.forEach((p, i) => expect(ce[i]).toBeCloseTo(-Math.log(p), 4));
  expect(page.url()).toContain('huberLoss.delta:0.5');
  expect(faults).toEqual([]);
});

test('fits every window, in both themes, and axe has nothing serious to say @long', async ({
  page,
}) => {
  await openView(page, 'losses', { backend: 'webgpu' });
  await expect(page.locator('.outlier')).toHaveAttribute('data-fitted', /webgpu/);
  await lookAt(page, 'losses', false);
});
