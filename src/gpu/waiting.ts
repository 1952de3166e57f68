// Limits how long to wait for the browser: each wait ends when the device is lost, or after a time.

/** Calls WebGPU without any effect, so that the browser checks whether other work has finished. */
function poke(device: GPUDevice): void {
  device.queue.onSubmittedWorkDone().catch(() => undefined);
}

/** Milliseconds between two calls of `poke`, and the time after which an answer that is not essential is given up. */
const PACE = 50;
const PATIENCE = 1000;
/**
 * While results are awaited: milliseconds before the first call of `poke`, and the longest time between two. Firefox
 * checks for finished work every 100 ms and at each submit. Reading a small tensor took 100 ms there; with an empty
 * submit it takes 8.
 */
const FIRST_PACE = 4;
const SLOW_PACE = 250;

/** The result of `ask`; null if it fails or takes too long. */
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

/** All pending waits for a device. They end when the device does. */
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

  /** Calls `poke` after `pace` milliseconds and then at growing intervals, so that long work is not disturbed often. */
  #pokeAfter(pace: number): void {
    clearTimeout(this.#timer);
    this.#pace = pace;
    this.#timer = setTimeout(() => {
      this.#submit([]);
      poke(this.#device);
      this.#pokeAfter(Math.min(2 * pace, SLOW_PACE));
    }, pace);
  }

  /** Resolves like `wait`, or rejects with the reason that `end` is given. */
  async until<T>(wait: () => Promise<T>): Promise<T> {
    let reject: (reason: Error) => void = () => undefined;
    const ended = new Promise<never>((_, no) => {
      reject = no;
    });
    this.#pending.add(reject);
    // A timer that fires as soon stays. Otherwise, reads that follow each other closely would postpone it forever.
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
