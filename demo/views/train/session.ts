// Takes trainers, and the person's wishes: start, pause, resume, stop, reset. Gives phases, reports, at most one error.
import type { Checkpoint } from '../../training/checkpoint.ts';
import type { LayerHealth } from '../../training/diagnose.ts';
import type { Report, Trainer } from '../../training/trainer.ts';

/** `idle`: no model; `done`, `stopped`, `failed`: models that no longer train. */
export type Phase = 'idle' | 'running' | 'paused' | 'done' | 'stopped' | 'failed';

export interface SessionEvents {
  readonly phase: (phase: Phase) => void;
  /** Of the run with that index. */
  readonly report: (index: number, report: Report) => void;
  readonly health: (index: number, layers: readonly LayerHealth[], step: number) => void;
  /** A run's loss is no number any more: it trains no further. */
  readonly diverged: (index: number, step: number) => void;
  /** There are checkpoints of a later step. */
  readonly kept: () => void;
  readonly failed: (error: unknown) => void;
}

/** Looking inside costs time of the device: between these, and within them as often as a share of its time allows. */
const DIAGNOSIS_MS = { least: 120, most: 700 };
const SHARE = 1 / 8;
const CHECKPOINT_MS = 1500;

/** `dropped`: other runs are wanted. */
type Ending = 'stopped' | 'failed' | 'dropped';

interface Runs {
  readonly trainers: readonly Trainer[];
  /** Resolves when the loop has ended; never rejects. */
  ended: Promise<void>;
  /** How the loop is to end, once it is. */
  ending: Ending | undefined;
  /** Set while the loop is to wait: resolves when it goes on. */
  gate: { opened: Promise<void>; open: () => void } | undefined;
}

const NONE: readonly Trainer[] = [];

/** Several runs at a time, in step with each other. */
export class Session {
  readonly #events: SessionEvents;
  #runs: Runs | undefined;
  #phase: Phase = 'idle';
  #checkpoints: readonly Checkpoint[] = [];
  /** When to look inside, and when to keep copies. */
  #diagnosis = 0;
  #keeping = 0;
  /** Counts wishes for other runs: only the latest is granted. */
  #turn = 0;
  #creating: Promise<unknown> = Promise.resolve();

  constructor(events: SessionEvents) {
    this.#events = events;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whose models can be asked; none when idle. */
  get trainers(): readonly Trainer[] {
    return this.#runs?.trainers ?? NONE;
  }

  /** Where the runs were last known to be, one each; none before the first. */
  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints;
  }

  /** Starts runs in place of those before. */
  async start(create: () => Promise<readonly Trainer[]>): Promise<void> {
    const runs = await this.#replace(create);
    if (!runs) return;
    this.#enter('running');
    runs.ended = this.#loop(runs);
  }

  /** Takes models that are trained already; false where other runs were asked for meanwhile. */
  async show(create: () => Promise<readonly Trainer[]>): Promise<boolean> {
    const runs = await this.#replace(create);
    if (!runs) return false;
    try {
      await this.#keep(runs);
    } catch (error) {
      // other runs were asked for meanwhile, and these are gone
      if (this.#runs === runs) throw error;
    }
    if (this.#runs !== runs) return false;
    this.#enter(runs.trainers.every(({ step, steps }) => step >= steps) ? 'done' : 'stopped');
    return true;
  }

  /** Training waits after the report that it is working on. */
  pause(): void {
    const runs = this.#runs;
    if (this.#phase !== 'running' || !runs || runs.gate) return;
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    runs.gate = { opened, open };
  }

  resume(): void {
    this.#runs?.gate?.open();
  }

  /** Ends training and keeps the models. */
  async stop(): Promise<void> {
    await this.#end('stopped');
  }

  /** Ends training because of an error; says so once. */
  async fail(error: unknown): Promise<void> {
    this.#events.failed(error);
    if (this.#phase === 'running' || this.#phase === 'paused') await this.#end('failed');
  }

  /** Ends training and frees the models; gives what was kept of them. */
  async reset(): Promise<readonly Checkpoint[]> {
    this.#turn++;
    await this.#end('dropped');
    const kept = this.#checkpoints;
    for (const trainer of this.trainers) trainer.dispose();
    this.#runs = undefined;
    this.#checkpoints = [];
    this.#enter('idle');
    return kept;
  }

  /** Ends training quietly: what it ran on is gone, and that was said already. */
  async abandon(): Promise<void> {
    this.#turn++;
    await this.#end('failed');
    if (this.#runs) this.#enter('failed');
  }

  /** Undefined where other runs were asked for meanwhile. */
  async #replace(create: () => Promise<readonly Trainer[]>): Promise<Runs | undefined> {
    const ending = this.reset();
    const turn = this.#turn;
    await ending;
    // one after the other: first weights are drawn from one seed
    await this.#creating;
    if (turn !== this.#turn) return undefined;
    const creating = create();
    this.#creating = creating.catch(() => undefined);
    const trainers = await creating;
    if (turn !== this.#turn) {
      for (const trainer of trainers) trainer.dispose();
      return undefined;
    }
    this.#diagnosis = this.#keeping = -Infinity;
    this.#runs = { trainers, ended: Promise.resolve(), ending: undefined, gate: undefined };
    return this.#runs;
  }

  async #end(ending: Ending): Promise<void> {
    const runs = this.#runs;
    if (!runs) return;
    runs.ending ??= ending;
    runs.gate?.open();
    await runs.ended;
  }

  async #loop(runs: Runs): Promise<void> {
    try {
      const going = new Map(runs.trainers.map((trainer, i) => [i, trainer.train()]));
      while (going.size > 0 && !runs.ending) {
        for (const [i, reports] of going) {
          const result = await reports.next();
          if (result.done) {
            going.delete(i);
            continue;
          }
          this.#events.report(i, result.value);
          if (result.value.kind === 'steps' && !Number.isFinite(result.value.score.loss)) {
            going.delete(i);
            this.#events.diverged(i, result.value.step);
            if (going.size === 0) runs.ending ??= 'stopped';
          }
        }
        await this.#inspect(runs, going.size === 0);
        if (runs.gate) {
          this.#enter('paused');
          await runs.gate.opened;
          runs.gate = undefined;
          if (!hasEnded(runs)) this.#enter('running');
        }
      }
      // what was learned since the last copy is not lost by stopping
      if (hasEnded(runs) && runs.ending !== 'failed') {
        await this.#keep(runs);
        this.#events.kept();
      }
    } catch (error) {
      // one failure often brings others with it; the first one is shown, and none of runs that nobody wants any more
      if (runs.ending !== 'dropped') {
        if (runs.ending !== 'failed') this.#events.failed(error);
        runs.ending = 'failed';
      }
    }
    this.#enter(runs.ending === 'dropped' ? 'stopped' : (runs.ending ?? 'done'));
  }

  /** Looks into the models and keeps copies of them, now and then, and at the end. */
  async #inspect({ trainers }: Runs, last: boolean): Promise<void> {
    const start = performance.now();
    if (last || start >= this.#diagnosis) {
      for (const [i, trainer] of trainers.entries()) {
        this.#events.health(i, await trainer.diagnose(), trainer.step);
      }
      const now = performance.now();
      const { least, most } = DIAGNOSIS_MS;
      this.#diagnosis = now + Math.min(most, Math.max(least, (now - start) / SHARE));
    }
    if (last || performance.now() >= this.#keeping) {
      await this.#keep({ trainers });
      this.#events.kept();
    }
  }

  async #keep({ trainers }: Pick<Runs, 'trainers'>): Promise<void> {
    this.#checkpoints = await Promise.all(trainers.map((trainer) => trainer.checkpoint()));
    this.#keeping = performance.now() + CHECKPOINT_MS;
  }

  #enter(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#events.phase(phase);
  }
}

/** Others may have ended the runs while the loop waited. */
const hasEnded = ({ ending }: Runs): boolean => ending !== undefined;
