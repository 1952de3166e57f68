// Takes work that is asked for faster than it can be done, and gives one run at a time, then once more with what came last.

/** Runs `work` now, or after the run in progress; what comes meanwhile is one more run. */
export class Latest {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #busy = false;
  #again = false;

  constructor(work: () => Promise<void>, failed: (error: unknown) => void) {
    this.#work = work;
    this.#failed = failed;
  }

  ask(): void {
    this.#again = true;
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#work();
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
    }
  }
}
