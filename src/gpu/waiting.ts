// Bounds the waits for the browser: each ends with the device, or after a time.

/** A call that does nothing: it makes the browser look whether something else is done. */
function poke(device: GPUDevice): void {
  device.queue.onSubmittedWorkDone().catch(() => undefined);
}

/** Milliseconds between two pokes, and after which an answer that is not needed is given up. */
const PACE = 50;
const PATIENCE = 1000;
/**
 * Milliseconds before the first poke while results are waited for, and the most between two. Firefox looks for finished
 * work every 100 ms, and with each submit: a read of a small tensor took 100 ms there, and takes 8 with an empty one.
 */
const FIRST_PACE = 4;
const SLOW_PACE = 250;

/** The answer to `ask`; null where it fails, or does not come in time. */
export async function bounded<T>(device: GPUDevice, ask: () => Promise<T>): Promise<T | null> {
  let left = PATIENCE / PACE;
  let timer: ReturnType<typeof setInterval> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setInterval(() => {
      if (left-- > 0) poke(device);
      else resolve(null);
    }, PACE);
  });
  try {
    return await Promise.race([ask(), late, device.lost.then(() => null)]);
  } catch {
    return null;
  } finally {
    clearInterval(timer);
  }
}

/** Everything that waits for a device: it ends when the device does. */
export class Waits {
  readonly #device: GPUDevice;
  readonly #pending = new Set<(reason: Error) => void>();
  readonly #submit: (commands: Iterable<GPUCommandBuffer>) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The delay that the timer was set to. */
  #pace = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#submit = device.queue.submit.bind(device.queue);
  }

  /** Pokes after `pace` milliseconds, and then ever more seldom: long work is not disturbed often. */
  #pokeAfter(pace: number): void {
    clearTimeout(this.#timer);
    this.#pace = pace;
    this.#timer = setTimeout(() => {
      this.#submit([]);
      poke(this.#device);
      this.#pokeAfter(Math.min(2 * pace, SLOW_PACE));
    }, pace);
  }

  /** Resolves as `wait` does, or rejects with the reason that `end` was given. */
  async until<T>(wait: () => Promise<T>): Promise<T> {
    let reject: (reason: Error) => void = () => undefined;
    const ended = new Promise<never>((_, no) => {
      reject = no;
    });
    this.#pending.add(reject);
    // One that is due as soon stays: else reads that follow each other closely would put it off for ever.
    if (this.#timer === undefined || this.#pace > FIRST_PACE) this.#pokeAfter(FIRST_PACE);
    try {
      return await Promise.race([wait(), ended]);
    } finally {
      this.#pending.delete(reject);
      if (this.#pending.size === 0) {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  end(reason: Error): void {
    for (const reject of this.#pending) reject(reason);
  }
}
