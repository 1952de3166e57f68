// Takes a Playwright page, and gives the view that trains, as a person uses it: opened, trained, drawn on.
import { expect, type Page } from 'playwright/test';
import { openView } from './lab.ts';

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

/** Opens the view and waits until it can be used. */
export async function openTraining(
  page: Page,
  params: Readonly<Record<string, string | number>>,
): Promise<void> {
  await openView(page, 'train', params);
  await expectPhase(page, 'idle');
}

export async function expectPhase(page: Page, phase: string, timeout = 30_000): Promise<void> {
  await expect(page.locator('#app')).toHaveAttribute('data-phase', phase, { timeout });
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

/** A figure of a run, by its exact value: `main`, `held-out-loss`, `training-loss` or `speed`. */
export async function figureOf(page: Page, name: string, run = 0): Promise<number> {
  const figure = page.locator(`[data-run="${run}"] [data-figure="${name}"]`);
  const text = await figure.getAttribute('data-value');
  return text === null || text === '' ? NaN : Number(text);
}

/** Draws with the mouse, after clearing the pad. */
export async function draw(page: Page, strokes: readonly Stroke[]): Promise<void> {
  await page.getByRole('button', { name: 'Clear' }).click();
  const pad = page.locator('#pad');
  // in the middle: the page's bar stays at the top
  await pad.evaluate((element) => element.scrollIntoView({ block: 'center' }));
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
