// Takes how many steps took how long, and gives steps per second, and the time that further steps will take.

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
