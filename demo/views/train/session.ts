// In: what to train, and the person's wishes: start, pause, resume, stop, reset. Out: phases, reports, at most one error.
import { Trainer, type Report, type TrainerOptions } from './trainer.ts';

/** `idle`: no model; `done`, `stopped`, `failed`: a model that no longer trains. */
export type Phase = 'idle' | 'running' | 'paused' | 'done' | 'stopped' | 'failed';

export interface SessionEvents {
  readonly phase: (phase: Phase) => void;
  readonly report: (report: Report) => void;
  readonly failed: (error: unknown) => void;
}

interface Run {
  readonly trainer: Trainer;
  /** Resolves when the loop has ended; never rejects. */
  ended: Promise<void>;
  /** How the loop is to end, once it is. */
  ending: 'stopped' | 'failed' | undefined;
  /** Set while the loop is to wait: resolves when it goes on. */
  gate: { opened: Promise<void>; open: () => void } | undefined;
}

/** One training run at a time. */
export class Session {
  readonly #events: SessionEvents;
  #run: Run | undefined;
  #phase: Phase = 'idle';

  constructor(events: SessionEvents) {
    this.#events = events;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** The run's trainer, whose model can be asked; undefined when idle. */
  get trainer(): Trainer | undefined {
    return this.#run?.trainer;
  }

  /** Starts a new run in place of the one before. */
  async start(options: TrainerOptions): Promise<void> {
    await this.reset();
    const run: Run = {
      trainer: new Trainer(options),
      ended: Promise.resolve(),
      ending: undefined,
      gate: undefined,
    };
    this.#run = run;
    this.#enter('running');
    run.ended = this.#loop(run);
  }

  /** Training waits after the report that it is working on. */
  pause(): void {
    const run = this.#run;
    if (this.#phase !== 'running' || !run || run.gate) return;
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    run.gate = { opened, open };
  }

  resume(): void {
    this.#run?.gate?.open();
  }

  /** Ends training and keeps the model. */
  async stop(): Promise<void> {
    await this.#end('stopped');
  }

  /** Ends training because of an error; says so once. */
  async fail(error: unknown): Promise<void> {
    if (this.#phase === 'running' || this.#phase === 'paused') {
      this.#events.failed(error);
      await this.#end('failed');
    } else {
      this.#events.failed(error);
    }
  }

  /** Ends training and frees the model. */
  async reset(): Promise<void> {
    await this.#end('stopped');
    this.#run?.trainer.dispose();
    this.#run = undefined;
    this.#enter('idle');
  }

  /** Ends training quietly: what it ran on is gone, and that was said already. */
  async abandon(): Promise<void> {
    await this.#end('failed');
    if (this.#run) this.#enter('failed');
  }

  async #end(ending: 'stopped' | 'failed'): Promise<void> {
    const run = this.#run;
    if (!run) return;
    run.ending ??= ending;
    run.gate?.open();
    await run.ended;
  }

  async #loop(run: Run): Promise<void> {
    try {
      for await (const report of run.trainer.train()) {
        this.#events.report(report);
        if (run.gate) {
          this.#enter('paused');
          await run.gate.opened;
          run.gate = undefined;
          if (!run.ending) this.#enter('running');
        }
        if (run.ending) break;
      }
    } catch (error) {
      // one failure often brings others with it; the first one is shown
      if (run.ending !== 'failed') this.#events.failed(error);
      run.ending = 'failed';
    }
    this.#enter(run.ending ?? 'done');
  }

  #enter(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#events.phase(phase);
  }
}
