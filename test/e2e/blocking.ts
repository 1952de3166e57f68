// Takes a Playwright page, and gives whether its main thread was blocked, by its own work or by waiting.
import { expect, type Page } from 'playwright/test';

/** The main thread may be taken so long at most, in ms. */
const MOST_MS = 100;
/** What blocks at every report or picture does so in each window of that length. */
const WINDOW_MS = 500;
/** How long, and how often, the machine is measured. */
const SPIN_MS = 20;
const PAUSE_MS = 200;

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

/** What was seen of a page. */
export interface Watched {
  readonly tasks: readonly Task[];
  /** How many times as long as it computes a program took that only computes: other programs had the cores meanwhile. */
  readonly slowdown: number;
}

/** Measures, now and then, how long this program has to wait for a core. Returns what ends that, and gives the slowdown. */
export function measureSlowdown(): () => number {
  let wall = 0;
  let computed = 0;
  const spin = (): void => {
    const start = performance.now();
    const before = process.cpuUsage();
    while (performance.now() - start < SPIN_MS);
    const { user, system } = process.cpuUsage(before);
    computed += (user + system) / 1e3;
    wall += performance.now() - start;
  };
  spin();
  const timer = setInterval(spin, PAUSE_MS);
  return () => {
    clearInterval(timer);
    return Math.max(1, wall / Math.max(computed, 1));
  };
}

const measured = new WeakMap<Page, () => number>();

export async function watchBlocking(page: Page): Promise<void> {
  await page
    .context()
    .browser()
    ?.startTracing(page, { categories: ['toplevel'] });
  measured.set(page, measureSlowdown());
}

/** The tasks of the main thread since `watchBlocking`. */
export async function tasksOf(page: Page): Promise<Watched> {
  const slowdown = measured.get(page)?.() ?? 1;
  const trace = (await page.context().browser()?.stopTracing())?.toString() ?? '';
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = traceEvents
    .filter(({ name, ph, pid, tid }) => {
      return ph === 'X' && name.endsWith('::RunTask') && threads.has(`${pid} ${tid}`);
    })
    .map(({ ts, dur = 0, tdur = 0 }) => ({ start: ts / 1e3, wall: dur / 1e3, busy: tdur / 1e3 }));
  return { tasks, slowdown };
}

/**
 * No task computes for 100 ms, and most of the time none takes that long, whatever it waits for: on a machine with other
 * work, as many times longer as everything takes there.
 */
export function expectUnblocked({ tasks, slowdown }: Watched): void {
  const busiest = Math.max(...tasks.map(({ busy }) => busy));
  const start = Math.min(...tasks.map((task) => task.start));
  const end = Math.max(...tasks.map((task) => task.start + task.wall));
  const longest = Array.from({ length: Math.floor((end - start) / WINDOW_MS) }, () => 0);
  for (const task of tasks) {
    const from = Math.floor((task.start - start) / WINDOW_MS);
    const to = Math.floor((task.start + task.wall - start) / WINDOW_MS);
    // What it would have taken with a core of its own.
    const alone = Math.max(task.busy, task.wall / slowdown);
    for (let i = from; i <= to && i < longest.length; i++) {
      longest[i] = Math.max(longest[i] ?? 0, alone);
    }
  }
  const quiet = longest.filter((ms) => ms < MOST_MS).length;
  console.log(
    `${tasks.length} tasks, the busiest ${Math.round(busiest)} ms; none took ${MOST_MS} ms in ${quiet} of ` +
      `${longest.length} halves of a second, on a machine ${slowdown.toFixed(1)} times as slow as alone`,
  );
  expect(tasks.length).toBeGreaterThan(100);
  expect(busiest).toBeGreaterThan(0);
  expect(busiest).toBeLessThan(MOST_MS);
  expect(longest.length).toBeGreaterThan(0);
  expect(quiet).toBeGreaterThan(longest.length / 2);
}
