// Takes libraries, and gives what one call costs when there is next to nothing to compute: 200 calls of relu on 256
// elements.
import { inputsOf } from './cases.ts';
import { quantile } from './cell.ts';
import type { Library, LibraryName, Overhead, Runner } from './types.ts';

const CALLS = 200;

/** The first of `libraries` is the baseline. */
export async function measureOverhead(
  libraries: ReadonlyMap<LibraryName, Library>,
  rounds: number,
): Promise<Overhead[]> {
  const inputs = inputsOf('relu', [1, 256]);
  const runners: { name: LibraryName; runner: Runner; totals: number[]; scripts: number[] }[] = [];
  for (const [name, library] of libraries) {
    const runner = await library.prepare('relu', inputs);
    if (runner) runners.push({ name, runner, totals: [], scripts: [] });
  }
  const clock = watchSubmits();
  // As many rounds again to warm up: compilers of JavaScript take their time.
  for (let round = -rounds; round < rounds; round++) {
    const turn = Math.abs(round) % runners.length;
    for (const one of [...runners.slice(turn), ...runners.slice(0, turn)]) {
      const start = performance.now();
      await one.runner.run(CALLS);
      await one.runner.sync();
      const end = performance.now();
      if (round < 0) continue;
      one.totals.push(((end - start) * 1000) / CALLS);
      one.scripts.push(((clock.last - start) * 1000) / CALLS);
    }
  }
  clock.stop();
  const baseline = runners[0]?.totals ?? [];
  return runners.map(({ name, runner, totals, scripts }) => {
    runner.free();
    const ratios = totals.map((total, round) => total / (baseline[round] ?? NaN));
    return {
      library: name,
      total: quantile(totals, 0.5),
      javascript: quantile(scripts, 0.5),
      ratio: quantile(ratios, 0.5),
    };
  });
}

/** Notes when a submit returned last: until then a library's calls keep the thread busy. */
function watchSubmits(): { readonly last: number; stop: () => void } {
  const { prototype } = GPUQueue;
  const submit = Reflect.get(prototype, 'submit') as (this: GPUQueue, ...args: unknown[]) => void;
  const clock = {
    last: 0,
    stop: () => {
      Reflect.set(prototype, 'submit', submit);
    },
  };
  Reflect.set(prototype, 'submit', function (this: GPUQueue, ...args: unknown[]): void {
    submit.apply(this, args);
    clock.last = performance.now();
  });
  return clock;
}
