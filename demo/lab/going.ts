// What work that may take a while is given: a way to say how far it is, and to know when it is to end.

export interface Progress {
  readonly signal: AbortSignal;
  /** From 0 to 1, and what is being done. */
  report(share: number, words?: string): void;
}

/** Thrown by, and for, work that was cancelled. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** Throws where the work is to end. */
export function checkGoing({ signal }: Progress): void {
  if (signal.aborted) throw new Cancelled('cancelled');
}
