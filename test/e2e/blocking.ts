// In: a Playwright page. Out: whether its main thread was blocked, by its own work or by waiting.
import { expect, type Page } from 'playwright/test';

/** The main thread may be taken so long at most, in ms. */
const MOST_MS = 100;
/** What blocks again and again does so in each window of that length; other programs on the machine do not. */
const WINDOW_MS = 2000;

/** A task of the main thread; times in ms. */
interface Task {
  readonly start: number;
  /** From its start to its end, also what others on the machine did meanwhile. */
  readonly wall: number;
  /** What the thread itself computed. */
  readonly busy: number;
}

/** What a trace holds of tasks; times in µs. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

export async function watchBlocking(page: Page): Promise<void> {
  await page
    .context()
    .browser()
    ?.startTracing(page, { categories: ['toplevel'] });
}

/** The tasks of the main thread since `watchBlocking`. */
export async function tasksOf(page: Page): Promise<Task[]> {
  const trace = (await page.context().browser()?.stopTracing())?.toString() ?? '';
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, ph, pid, tid }) => {
      return ph === 'X' && name.endsWith('::RunTask') && threads.has(`${pid} ${tid}`);
    })
    .map(({ ts, dur = 0, tdur = 0 }) => ({ start: ts / 1e3, wall: dur / 1e3, busy: tdur / 1e3 }));
}

/** No task computes for 100 ms, and there is a while in which none takes that long, whatever it waits for. */
export function expectUnblocked(tasks: readonly Task[]): void {
  const start = Math.min(...tasks.map((task) => task.start));
  const windows: number[] = [];
  for (const task of tasks) {
    const at = Math.floor((task.start - start) / WINDOW_MS);
    windows[at] = Math.max(windows[at] ?? 0, task.wall);
  }
  const busiest = Math.max(...tasks.map(({ busy }) => busy));
  const waits = Array.from(windows, (wall: number | undefined) => Math.round(wall ?? 0));
  console.log(
    `${tasks.length} tasks, the busiest ${Math.round(busiest)} ms; the longest of every 2 s: ${waits.join(', ')} ms`,
  );
  expect(tasks.length).toBeGreaterThan(100);
  expect(busiest).toBeGreaterThan(0);
  expect(busiest).toBeLessThan(MOST_MS);
  expect(Math.min(...waits)).toBeLessThan(MOST_MS);
}
