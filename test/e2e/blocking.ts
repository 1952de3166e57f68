// In: a Playwright page. Out: whether its main thread was blocked, and by how much of that the machine was to blame.
import { expect, type Page } from 'playwright/test';

/** A task of the main thread over 50 ms: when it began, and what it took, in ms. */
export interface Blocked {
  readonly start: number;
  readonly duration: number;
}

/** The main thread may be taken so long at most. */
const MOST_MS = 100;
/** What blocks again and again does so in each of these; other programs on the machine do not. */
const WINDOWS = 3;

export async function watchBlocking(page: Page): Promise<void> {
  await page.evaluate(() => {
    const blocked: { start: number; duration: number }[] = [];
    Reflect.set(globalThis, 'blocked', blocked);
    new PerformanceObserver((list) => {
      for (const { startTime: start, duration } of list.getEntries()) {
        blocked.push({ start, duration });
      }
    }).observe({ type: 'longtask' });
    blocked.push({ start: performance.now(), duration: 0 });
  });
}

/** Since `watchBlocking`; the last entry is now. */
export function blockingOf(page: Page): Promise<Blocked[]> {
  return page.evaluate(() => [
    ...(Reflect.get(globalThis, 'blocked') as { start: number; duration: number }[]),
    { start: performance.now(), duration: 0 },
  ]);
}

/** At least one third of the time watched has no task over 100 ms: a task's length is wall time, also of others' work. */
export function expectUnblocked(blocked: readonly Blocked[]): void {
  const [first = 0, last = 0] = [blocked[0]?.start, blocked.at(-1)?.start];
  const longest = Array.from({ length: WINDOWS }, () => 0);
  for (const { start, duration } of blocked) {
    const at = Math.min(WINDOWS - 1, Math.floor((WINDOWS * (start - first)) / (last - first)));
    longest[at] = Math.max(longest[at] ?? 0, duration);
  }
  console.log(`longest tasks, by thirds of the time: ${longest.map(Math.round).join(', ')} ms`);
  expect(Math.min(...longest)).toBeLessThan(MOST_MS);
}
