// Takes numbers and errors, and gives words for people.

/** A duration for people: `0 s`, `42 s`, `3 min 05 s`, `1 h 02 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const padded = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${padded(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${padded(Math.floor((whole % 3600) / 60))} min`;
}

/** A rate with two or three digits: `0.42`, `7.3`, `128`. */
export function formatRate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 1 ? 2 : perSecond < 20 ? 1 : 0);
}

export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function formatLoss(loss: number): string {
  return loss !== 0 && Math.abs(loss) < 0.01 ? loss.toExponential(2) : loss.toFixed(3);
}

/** An error in words; never empty. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' ? 'unknown error' : message;
}
