// Takes timings, and gives how near each call comes to the bandwidth of a copy, in numbers and in words.
import { nameOf, type Circumstances, type Timing } from './report.ts';

/** The bandwidth of a call as a share of the copy kernel's; undefined where one of them is not measured. */
export function shareOf(
  { gpu, bytes }: Timing,
  { size, copy }: Pick<Circumstances, 'size' | 'copy'>,
): number | undefined {
  if (gpu === undefined || copy === undefined) return undefined;
  // the copy reads and writes each float once
  return bytes / gpu / ((8 * size) / copy);
}

export interface Shared {
  readonly timing: Timing;
  readonly share: number;
}

/** The calls that are measured so far, each with its share. */
export function sharedOf(timings: readonly Timing[], about: Circumstances): Shared[] {
  return timings.flatMap((timing) => {
    const share = shareOf(timing, about);
    return share === undefined ? [] : [{ timing, share }];
  });
}

export const percentOf = (share: number): string =>
  `${100 * share < 10 ? (100 * share).toPrecision(2) : Math.round(100 * share)} %`;

/** The result in a sentence: the median of what is measured so far. */
export function headlineOf(timings: readonly Timing[], about: Circumstances): string {
  const shared = sharedOf(timings, about).sort((a, b) => a.share - b.share);
  const [first] = shared;
  if (!first) {
    return timings.some(({ cpu }) => cpu !== undefined)
      ? 'Times on the CPU, without a GPU to compare with'
      : 'No result yet';
  }
  if (shared.length === 1)
    return `${nameOf(first.timing)} reaches ${percentOf(first.share)} of a copy’s bandwidth`;
  return `Half of the ${shared.length} calls reach at least ${percentOf(medianOf(shared))} of a copy’s bandwidth`;
}

/** Of shares in rising order the one that half of them reach. */
const medianOf = (shared: readonly Shared[]): number =>
  shared[Math.floor(shared.length / 2)]?.share ?? NaN;

/** Best and worst in a sentence; empty unless two are measured. */
export function extremesOf(timings: readonly Timing[], about: Circumstances): string {
  const shared = sharedOf(timings, about).sort((a, b) => b.share - a.share);
  const [best, worst] = [shared[0], shared.at(-1)];
  if (!best || !worst || best === worst) return '';
  const said = ({ timing, share }: Shared) => `${nameOf(timing)} (${percentOf(share)})`;
  return `Best: ${said(best)}. Lowest: ${said(worst)}.`;
}
