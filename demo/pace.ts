// In: how many steps took how long. Out: steps per second, time left, and both in words.

/** Old measurements count e times less after so many seconds. */
const MEMORY_SECONDS = 4;

/** The recent rate of a repeated piece of work. */
export class Pace {
  #steps = 0;
  #seconds = 0;

  /** `steps` more took `seconds` more; 0 steps are work beside the steps, which delays them. */
  add(steps: number, seconds: number): void {
    const kept = Math.exp(-seconds / MEMORY_SECONDS);
    this.#steps = this.#steps * kept + steps;
    this.#seconds = this.#seconds * kept + seconds;
  }

  /** Undefined before the first measurement. */
  get stepsPerSecond(): number | undefined {
    return this.#steps > 0 && this.#seconds > 0 ? this.#steps / this.#seconds : undefined;
  }

  /** Seconds until `steps` more are done; undefined before the first measurement. */
  secondsFor(steps: number): number | undefined {
    const rate = this.stepsPerSecond;
    return rate === undefined ? undefined : steps / rate;
  }
}

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
