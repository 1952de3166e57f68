// In: WebGPU calls. Out: what the GPU reported about them, as one typed error at the next read.
import { OutOfMemoryError, ShaderError, type NonlinError } from '../errors.ts';

/** Collects faults until someone waits for results; none is lost, and none is thrown twice. */
export class Faults {
  readonly #device: GPUDevice;
  /** Error scopes not yet popped. */
  readonly #checks = new Set<Promise<void>>();
  #first: NonlinError | null = null;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  report(fault: NonlinError | null): void {
    this.#first ??= fault;
  }

  /** Waits for the error scopes popped so far and throws the first fault, once. */
  async settle(): Promise<void> {
    await Promise.all(this.#checks);
    const fault = this.#first;
    this.#first = null;
    if (fault) throw fault;
  }

  /** Runs WebGPU calls under error scopes; what they report is thrown at the next read. */
  watch<T>(op: string, call: () => T): T {
    const scopes = ['validation', 'out-of-memory', 'internal'] as const;
    for (const filter of scopes) this.#device.pushErrorScope(filter);
    try {
      return call();
    } finally {
      for (const filter of scopes.toReversed()) {
        const check = this.#device.popErrorScope().then(
          (error) => {
            this.#checks.delete(check);
            if (!error) return;
            const Fault = filter === 'out-of-memory' ? OutOfMemoryError : ShaderError;
            this.#first ??= new Fault({
              op,
              expected: 'commands the GPU accepts',
              received: error.message,
            });
          },
          () => {
            this.#checks.delete(check);
          },
        );
        this.#checks.add(check);
      }
    }
  }
}
