// In: a Playwright page. Out: the demo as a person finds it: opened, trained, drawn on; with every fault it logged.
import { expect, type Page } from 'playwright/test';

/** The points of a stroke as shares of the pad's side. */
export type Stroke = readonly (readonly [x: number, y: number])[];

export const ONE: Stroke[] = [
  [
    [0.5, 0.15],
    [0.49, 0.5],
    [0.48, 0.85],
  ],
];
export const ZERO: Stroke[] = [
  Array.from({ length: 25 }, (_, i) => {
    const angle = (i / 24) * 2 * Math.PI - Math.PI / 2;
    return [0.5 + 0.22 * Math.cos(angle), 0.5 + 0.32 * Math.sin(angle)] as const;
  }),
];

/** Everything that a page logs as an error, or does not catch. */
export function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  return faults;
}

/** Opens the demo and waits until it can be used. */
export async function openDemo(page: Page, query: Record<string, string | number>): Promise<void> {
  const parameters = Object.entries(query).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  await page.goto(`/?${new URLSearchParams(parameters).toString()}`);
  await expectPhase(page, 'idle');
}

export async function expectPhase(page: Page, phase: string, timeout = 30_000): Promise<void> {
  await expect(page.locator('main')).toHaveAttribute('data-phase', phase, { timeout });
}

/** Trains with the settings as they are, to the end. */
export async function train(page: Page, timeout = 60_000): Promise<void> {
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expectPhase(page, 'running');
  await expectPhase(page, 'done', timeout);
}

/** Steps done, of the visible progress text. */
export async function stepOf(page: Page): Promise<number> {
  const words = (await page.locator('#progress-text').textContent()) ?? '';
  return Number(/step (\d+) of/.exec(words)?.[1] ?? NaN);
}

/** The visible held-out accuracy in percent. */
export async function accuracyOf(page: Page): Promise<number> {
  return Number.parseFloat((await page.locator('#held-out-accuracy').textContent()) ?? '');
}

/** Draws with the mouse, after clearing the pad. */
export async function draw(page: Page, strokes: readonly Stroke[]): Promise<void> {
  await page.getByRole('button', { name: 'Clear' }).click();
  const pad = page.locator('#pad');
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  if (!box) throw new Error('no pad');
  const at = ([x, y]: readonly [number, number]) =>
    [box.x + x * box.width, box.y + y * box.height] as const;
  for (const [first, ...rest] of strokes) {
    if (!first) continue;
    await page.mouse.move(...at(first));
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...at(point));
    await page.mouse.up();
  }
}

/** The ten probabilities, once they are there. */
export async function probabilitiesOf(page: Page): Promise<number[]> {
  const bars = page.locator('#bars li[data-probability]');
  await expect(bars).toHaveCount(10);
  return bars.evaluateAll((items) =>
    items.map((item) => Number(item instanceof HTMLElement ? item.dataset.probability : NaN)),
  );
}

/** The page must not scroll sideways. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const { scrollWidth, clientWidth } = await page.evaluate(() => ({
    scrollWidth: document.documentElement.scrollWidth,
    clientWidth: document.documentElement.clientWidth,
  }));
  expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
}
