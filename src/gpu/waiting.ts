// In: promises of the browser that may stay open. Out: waits that end: with the device, or after a time.

/** A call that does nothing: it makes the browser look whether something else is done. */
function poke(device: GPUDevice): void {
  device.queue.onSubmittedWorkDone().catch(() => undefined);
}

/** Milliseconds between two pokes, and after which an answer that is not needed is given up. */
const PACE = 50;
const PATIENCE = 1000;
/** Milliseconds between two pokes while results are waited for: they seldom need any. */
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
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** What `wait` gives, or the reason of `end`. */
  async until<T>(wait: () => Promise<T>): Promise<T> {
    let reject: (reason: Error) => void = () => undefined;
    const ended = new Promise<never>((_, no) => {
      reject = no;
    });
    this.#pending.add(reject);
    this.#timer ??= setInterval(() => {
      poke(this.#device);
    }, SLOW_PACE);
    try {
      return await Promise.race([wait(), ended]);
    } finally {
      this.#pending.delete(reject);
      if (this.#pending.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  end(reason: Error): void {
    for (const reject of this.#pending) reject(reason);
  }
}
