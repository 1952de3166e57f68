// Takes a kind of device, and a person's code as it changes, and gives what its worker says of the newest code, and of no other.
import type { Values } from '../../lab/options.ts';
import { placesOf } from '../train/panels/boundary.ts';
import type { FromWorker, OwnCode, TrainingTask } from './protocol.ts';
import { Workshop } from './workshop.ts';

/** A check takes longer: probably the WGSL does not come to an end. */
const LONG_MS = 10_000;
const GRID = 40;

/** What is said of code. */
export type AboutCode = Extract<FromWorker, { readonly id: number }>;

export interface RunningEvents {
  readonly heard: (message: AboutCode) => void;
  /** The device was asked for a GPU, and workers of this browser have none. */
  readonly without: () => void;
  /** A check has not come to an end for a while. */
  readonly long: () => void;
  /** The JavaScript does not come to an end, and was ended. */
  readonly hung: () => void;
  /** The device is gone; `ran`: code ran on it. */
  readonly lost: (ran: boolean) => void;
  readonly failed: (error: unknown) => void;
}

export class Running {
  readonly #events: RunningEvents;
  #workshop: Workshop | undefined;
  #type: 'webgpu' | 'cpu' = 'cpu';
  /** Of the latest check; what is said of others is of other code. */
  #id = 0;
  #long: ReturnType<typeof setTimeout> | undefined;
  #isLong = false;

  constructor(events: RunningEvents) {
    this.#events = events;
  }

  /** Whether there is a device. */
  get ready(): boolean {
    return this.#workshop !== undefined;
  }

  /** Whether code runs. */
  get busy(): boolean {
    return this.#workshop?.busy ?? false;
  }

  use(type: 'webgpu' | 'cpu' | undefined): void {
    this.end();
    this.#workshop = undefined;
    if (!type) return;
    this.#type = type;
    this.#workshop = new Workshop(type, {
      heard: (message) => this.#hear(message),
      hung: () => this.#events.hung(),
      failed: (error) => this.#events.failed(error),
    });
  }

  check(code: OwnCode, values: Values, target: number): void {
    // a GPU that does not answer keeps its worker waiting for good
    if (this.#isLong) this.#workshop?.end();
    this.settle();
    this.#workshop?.check({ type: 'check', id: ++this.#id, code, values, target });
    this.#long = setTimeout(() => {
      this.#isLong = true;
      this.#events.long();
    }, LONG_MS);
  }

  train(code: OwnCode, values: Values, task: TrainingTask): void {
    this.#workshop?.train({
      ...{ type: 'train', id: this.#id, code, values, task },
      ...(task === 'spirals' ? { places: placesOf(GRID) } : {}),
      digits: new URL('mnist.bin.gz', document.baseURI).href,
    });
  }

  /** Ends a training. */
  stop(): void {
    this.#workshop?.stop();
  }

  /** What is said of the code until now is of no interest any more. */
  forget(): void {
    this.stop();
    this.#id++;
  }

  /** A check is over, or is not waited for. */
  settle(): void {
    clearTimeout(this.#long);
    this.#isLong = false;
  }

  /** Ends all that runs. */
  end(): void {
    this.settle();
    this.#workshop?.end();
  }

  #hear(message: FromWorker): void {
    if ('id' in message) {
      if (message.id === this.#id) this.#events.heard(message);
      return;
    }
    switch (message.type) {
      case 'ready':
        if (!message.gpu && this.#type === 'webgpu') this.#events.without();
        return;
      case 'pong':
        return;
      case 'failed':
        this.#events.failed(new Error(message.words));
        return;
      case 'lost': {
        const ran = this.busy;
        this.end();
        this.#events.lost(ran);
        return;
      }
    }
  }
}
