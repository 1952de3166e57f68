// Takes jobs for a person's code, and gives what its worker says of them; a worker that does not answer is ended.
import type { CheckJob, FromWorker, ToWorker, TrainJob } from './protocol.ts';

/** How often a busy worker is asked whether it still answers, and how many questions it may leave open. */
const PACE_MS = 500;
const MOST_OPEN = 8;

export interface WorkshopEvents {
  readonly heard: (message: FromWorker) => void;
  /** Its JavaScript has not come to an end for some seconds: the worker was ended, its jobs are lost. */
  readonly hung: () => void;
  readonly failed: (error: unknown) => void;
}

/** Seconds after which code that does not end is given up. */
export const PATIENCE_S = (PACE_MS * MOST_OPEN) / 1000;

export class Workshop {
  readonly #backend: 'webgpu' | 'cpu';
  readonly #events: WorkshopEvents;
  #worker: Worker | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ready = false;
  #waiting: ToWorker[] = [];
  #busy = new Set<'check' | 'train'>();
  #open = 0;
  /** Asked for while another check was under way. */
  #next: CheckJob | undefined;

  constructor(backend: 'webgpu' | 'cpu', events: WorkshopEvents) {
    this.#backend = backend;
    this.#events = events;
  }

  /** Whether a check or a training is under way. */
  get busy(): boolean {
    return this.#busy.size > 0;
  }

  /** Of several that come while one is under way, the last. */
  check(job: CheckJob): void {
    if (this.#busy.has('check')) {
      this.#next = job;
      return;
    }
    this.#busy.add('check');
    this.#send(job);
  }

  train(job: TrainJob): void {
    this.#busy.add('train');
    this.#send(job);
  }

  /** Ends a training. */
  stop(): void {
    if (!this.#busy.delete('train')) return;
    this.#send({ type: 'stop' });
  }

  /** Ends all that is under way, at once. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    clearInterval(this.#timer);
    this.#ready = false;
    this.#waiting = [];
    this.#busy = new Set();
    this.#next = undefined;
  }

  #send(message: ToWorker): void {
    const worker = (this.#worker ??= this.#start());
    if (this.#ready) worker.postMessage(message);
    else this.#waiting.push(message);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (worker === this.#worker) this.#hear(data);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#events.failed(new Error(event.message));
    });
    worker.postMessage({ type: 'open', backend: this.#backend } satisfies ToWorker);
    this.#open = 0;
    this.#timer = setInterval(() => this.#ask(), PACE_MS);
    return worker;
  }

  #hear(message: FromWorker): void {
    if (message.type === 'pong') this.#open = 0;
    else if (message.type === 'ready') {
      this.#ready = true;
      for (const waiting of this.#waiting.splice(0)) this.#worker?.postMessage(waiting);
    } else if (message.type === 'over') {
      this.#busy.delete(message.job);
    }
    this.#events.heard(message);
    const next = this.#next;
    if (next && !this.#busy.has('check')) {
      this.#next = undefined;
      this.check(next);
    }
  }

  /** Counts questions rather than time: a page that sleeps asks nothing. */
  #ask(): void {
    if (!this.#ready || this.#busy.size === 0) {
      this.#open = 0;
      return;
    }
    if (this.#open++ < MOST_OPEN) this.#worker?.postMessage({ type: 'ping' } satisfies ToWorker);
    else {
      this.end();
      this.#events.hung();
    }
  }
}
