// Takes a test after an epoch, and gives words to be read aloud, or none: not more than ten times a run.
import { formatPercent } from '../../training/format.ts';
import type { EpochReport } from '../../training/score.ts';
import type { Goal } from '../../training/task.ts';

const MOST = 10;

export function announcementOf(
  { epoch, heldOut }: EpochReport,
  epochs: number,
  goal: Goal,
): string | undefined {
  const last = epoch === epochs;
  if (epoch === 0 || (epoch % Math.ceil(epochs / MOST) !== 0 && !last)) return undefined;
  const score =
    goal === 'classes'
      ? `held-out accuracy ${formatPercent(heldOut.accuracy)}`
      : `squared error ${heldOut.error.toPrecision(2)}`;
  return `Epoch ${epoch} of ${epochs}: ${score}.${last ? ' Finished.' : ''}`;
}
