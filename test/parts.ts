// What `npm test` takes of a list of cases, and what it leaves to the lane `gpu-long`.
import type { TestOptions } from 'vitest';

/** Of tests, or of a `describe`, that `npm test` leaves to `npm run test:full`: vite.config.ts declares the tag. */
export const LONG = { tags: ['long'] } satisfies TestOptions;

/** A list in two parts, each with options for its tests: every `step`-th case for `npm test`, the others for the long lane. */
export function inParts<T>(
  cases: readonly T[],
  step: number,
): [cases: T[], options: TestOptions][] {
  return [
    [cases.filter((_, i) => i % step === 0), {}],
    [cases.filter((_, i) => i % step !== 0), LONG],
  ];
}
