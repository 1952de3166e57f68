// In: WebGPU calls. Out: what the GPU reported about them, as one typed error at the next read.
import { OutOfMemoryError, ShaderError, type NonlinError } from '../errors.ts';

/** Collects faults until someone waits for results; none is lost, and none is thrown twice. */
export class Faults {
  readonly #device: GPUDevice;
  /** Error scopes not yet popped. */
  readonly #checks = new Set<Promise<void>>();
  #first: NonlinError | null = null;
  #depth = 0;
  /** The op that the scopes now open are for. */
  #opened: string | null = null;

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

  /** From here to `end`, calls share error scopes: each costs a message and three promises. No caller's code in between. */
  begin(): void {
    this.#depth++;
  }

  end(): void {
    if (--this.#depth > 0 || this.#opened === null) return;
    const op = this.#opened;
    this.#opened = null;
    this.#pop(op);
  }

  /** Runs WebGPU calls under error scopes; what they report is thrown at the next read. */
  watch<T>(op: string, call: () => T): T {
    this.begin();
    try {
      if (this.#opened === null) {
        for (const filter of SCOPES) this.#device.pushErrorScope(filter);
        this.#opened = op;
      }
      return call();
    } finally {
      this.end();
    }
  }

  #pop(op: string): void {
    for (const filter of SCOPES.toReversed()) {
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

const SCOPES = ['validation', 'out-of-memory', 'internal'] as const;
