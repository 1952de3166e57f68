// Takes an op, a shape and libraries, and gives their times, taken round by round in turn, as multiples of the first's: the
// floor.
import { inputsOf, mistake } from './cases.ts';
import type { Cell, Library, LibraryName, OpName, Runner, Shape, Timing } from './types.ts';

export interface CellRequest {
  readonly op: OpName;
  readonly shape: Shape;
  /** The first is the floor. */
  readonly libraries: readonly LibraryName[];
  readonly rounds: number;
  /** Calls are repeated until they take about so long, in milliseconds. */
  readonly span: number;
}

const MOST_CALLS = 200;

interface Entry {
  readonly name: LibraryName;
  readonly runner: Runner;
  calls: number;
  /** Milliseconds per call, one a round. */
  readonly times: number[];
}

export async function measureCell(
  request: CellRequest,
  libraries: ReadonlyMap<LibraryName, Library>,
): Promise<Cell> {
  const { op, shape, rounds, span } = request;
  const inputs = inputsOf(op, shape);
  const timings: Partial<Record<LibraryName, Timing>> = {};
  const entries: Entry[] = [];
  const drop = (entry: Entry | undefined, name: LibraryName, error: unknown): void => {
    timings[name] = { status: 'failed', detail: String(error) };
    if (entry) entries.splice(entries.indexOf(entry), 1);
  };

  for (const name of request.libraries) {
    try {
      const runner = await libraries.get(name)?.prepare(op, inputs);
      if (!runner) {
        timings[name] = { status: 'none' };
        continue;
      }
      const results = await runner.read();
      const wrong = isFloor(name) ? null : mistake(op, inputs, results);
      if (wrong === null) entries.push({ name, runner, calls: 1, times: [] });
      else {
        timings[name] = { status: 'wrong', detail: wrong };
        runner.free();
      }
    } catch (error) {
      drop(undefined, name, error);
    }
  }

  for (const entry of [...entries]) {
    try {
      // The first calls allocate and compile; the last tell how many make up a span.
      await timeOf(entry.runner, 2);
      const one = Math.max(await timeOf(entry.runner, 1), 0.005);
      const some = Math.min(10, Math.max(1, Math.round(span / 4 / one)));
      const each = await timeOf(entry.runner, some);
      entry.calls = Math.max(1, Math.min(MOST_CALLS, Math.round(span / each)));
      await timeOf(entry.runner, entry.calls);
    } catch (error) {
      drop(entry, entry.name, error);
    }
  }
  for (let round = 0; round < rounds; round++) {
    // Each goes first as often as the others.
    const turn = round % Math.max(entries.length, 1);
    for (const entry of [...entries.slice(turn), ...entries.slice(0, turn)]) {
      try {
        entry.times.push(await timeOf(entry.runner, entry.calls));
      } catch (error) {
        drop(entry, entry.name, error);
      }
    }
  }

  const floor = entries[0]?.times ?? [];
  const size = shape[0] * shape[1];
  for (const { name, runner, times } of entries) {
    const ratios = times.map((time, round) => time / (floor[round] ?? NaN));
    timings[name] = {
      status: 'ok',
      ns: (quantile(times, 0.5) * 1e6) / size,
      ratio: quantile(ratios, 0.5),
      quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    };
    runner.free();
  }
  return { op, shape, rounds, timings };
}

/** Milliseconds per call of so many calls and one wait for them. */
async function timeOf({ run, sync }: Runner, calls: number): Promise<number> {
  const start = await now();
  await run(calls);
  await sync();
  return ((await now()) - start) / calls;
}

/** Milliseconds; with `--cpu-time`, those that the browser's GPU process has computed. */
export function now(): number | Promise<number> {
  const clock = Reflect.get(globalThis, 'cpuTime') as (() => Promise<number>) | undefined;
  return clock ? clock() : performance.now();
}

function isFloor(name: LibraryName): boolean {
  return name === 'copy' || name === 'memcpy';
}

/** A quantile, with linear interpolation. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}
