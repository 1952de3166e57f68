// Takes a session whose device was lost, or whose runs failed, and gives what is left of them, and how to go on, in words.
import type { Session } from './session.ts';

export interface Kept {
  readonly words: string;
  /** Of the button that goes on from there. */
  readonly label: string;
}

/** Undefined where there is no checkpoint. */
export function keptOf({ checkpoints, trainers, phase }: Session): Kept | undefined {
  const [first] = checkpoints;
  if (!first) return undefined;
  if (first.step === 0 && phase === 'stopped') {
    return { words: 'The network was kept.', label: 'Train it further' };
  }
  if (first.step === trainers[0]?.steps) {
    return { words: 'The trained network was kept.', label: 'Bring it back' };
  }
  return {
    words: `The training run was kept as it was at step ${first.step}.`,
    label: `Resume from step ${first.step}`,
  };
}
