// Takes a Playwright page, and gives a view of the demo as a person finds it, what its plots show, its screenshots, its
// faults.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Locator, type Page } from 'playwright/test';

export interface Plotted {
  readonly x: number[];
  readonly series: { readonly label: string; readonly y: number[] }[];
}

/** Everything that a page logs as an error, or does not catch. */
export function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  return faults;
}

/** Opens a view and waits until its device is open. */
export async function openView(
  page: Page,
  view: string,
  params: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  const entries = Object.entries(params).map(([name, value]) => [name, String(value)]);
  // from elsewhere: a change of the hash alone would not load the page again
  await page.goto('about:blank');
  await page.goto(`/#/${view}?${new URLSearchParams(entries).toString()}`);
  await expect(page.locator('main')).toHaveAttribute('data-device', /webgpu|cpu/);
  await expect(page.locator('main h1')).toBeVisible();
}

/** Ends the browser's GPU process, as a broken driver does: every device is lost, also those of workers. */
export async function crashGpu(page: Page): Promise<void> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  await session?.send('Browser.crashGpuProcess');
}

/** What a plot shows: the numbers it was drawn from. */
export async function plottedOf(frame: Locator): Promise<Plotted> {
  return frame.evaluate((element) => {
    const { x, series } = Reflect.get(element, 'plotted') as {
      x: ArrayLike<number>;
      series: { label: string; y: ArrayLike<number> }[];
    };
    return {
      x: Array.from(x),
      series: series.map(({ label, y }) => ({ label, y: Array.from(y) })),
    };
  });
}

/** What a plot shows once it is drawn up to `end` of its x axis: plots are drawn a few times a second, so the end of a run a moment after it. */
export async function plottedUpTo(frame: Locator, end: number): Promise<Plotted> {
  await expect.poll(async () => (await plottedOf(frame)).x.at(-1)).toBe(end);
  return plottedOf(frame);
}

/** The page must not scroll sideways. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const { scrollWidth, clientWidth } = await page.evaluate(() => ({
    scrollWidth: document.documentElement.scrollWidth,
    clientWidth: document.documentElement.clientWidth,
  }));
  expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
}

const WINDOWS = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 375, height: 812 },
} as const;

/** Screenshots on desktop and phone, in light and dark, as artefacts; nothing may overflow, and axe finds nothing serious. */
export async function lookAt(page: Page, name: string, fullPage = true): Promise<void> {
  for (const [device, viewport] of Object.entries(WINDOWS)) {
    await page.setViewportSize(viewport);
    await page.evaluate(() => scrollTo(0, 0));
    await expectNoOverflow(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const path = `test-results/screenshots/${name}-${device}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage, animations: 'disabled', scale: 'css' });
    }
  }
  await page.setViewportSize(WINDOWS.desktop);
  await expectAccessible(page, ['color-contrast']);
  await page.emulateMedia({ colorScheme: 'light' });
  await expectAccessible(page);
}

/** All of axe's rules, or some. */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  // KaTeX's boxes are hidden from screen readers, many, and of one colour; its MathML stays
  const builder = new AxeBuilder({ page }).exclude('.katex-html');
  const { violations } = await (rules ? builder.withRules(rules) : builder).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
  ).toEqual([]);
}
