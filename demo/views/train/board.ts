// Takes reports of the runs that are shown, and gives their history, charts, pictures and words to be read aloud, kept up
// to date.
import { TabStore } from '../../lab/tab-store.ts';
import type { Progress } from '../../lab/going.ts';
import type { LayerHealth } from '../../training/diagnose.ts';
import { TASKS, type Config } from '../../training/config.ts';
import type { Report, Trainer } from '../../training/trainer.ts';
import { announcementOf } from './announce.ts';
import { Charts } from './charts.ts';
import { EarlierRuns, type EarlierRun } from './earlier.ts';
import { History } from './history.ts';
import { Inside } from './inside/inside.ts';
import { TaskPanel } from './task-panel.ts';

const STORED = /* @__PURE__ */ new TabStore('earlier');
/** They outlive the view: another view, task or load of the page is no reason to forget them. */
const earlier = /* @__PURE__ */ new EarlierRuns((runs) => {
  STORED.put(runs).catch(() => {
    // no storage, or it is full: they last as long as the page
  });
});

/** Has back the runs that the page had before it was loaded again. */
export async function reviveEarlier(): Promise<void> {
  const runs = (await STORED.get().catch(() => undefined)) as readonly EarlierRun[] | undefined;
  if (runs) earlier.revive(runs);
}

/** How often pictures are asked for again while networks learn. */
const REFRESH_MS = 350;

export interface BoardEvents {
  /** Something other than charts and pictures is to be rendered again. */
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

export class Board {
  readonly panel: TaskPanel;
  readonly inside: Inside;
  announcement = '';
  readonly #events: BoardEvents;
  readonly #charts: Charts;
  #history = new History(1);
  #config: Config | undefined;
  #trainers: readonly Trainer[] = [];
  #refreshed = 0;
  readonly #seen = () => {
    if (document.hidden) return;
    this.#charts.draw();
    this.panel.refresh();
    this.inside.refresh();
  };

  constructor(events: BoardEvents) {
    this.#events = events;
    this.panel = new TaskPanel(events.failed);
    this.inside = new Inside(events.failed);
    this.#charts = new Charts(this.#history);
    document.addEventListener('visibilitychange', this.#seen);
  }

  /** Of the runs that are shown. */
  get config(): Config | undefined {
    return this.#config;
  }

  get history(): History {
    return this.#history;
  }

  get charts(): HTMLElement {
    return this.#charts.element;
  }

  /** The chart that belongs to the table of layers. */
  get gradients(): HTMLElement {
    return this.#charts.gradients;
  }

  /** Shows runs that begin, or none yet; `kept`: the figures of runs that go on. */
  show(
    config: Config,
    trainers: readonly Trainer[],
    names: readonly string[],
    kept?: History,
  ): void {
    if (this.#config) earlier.add(this.#config, this.#history);
    if (kept) earlier.remove(kept);
    this.#config = config;
    this.#trainers = trainers;
    this.#history = kept ?? new History(Math.max(1, config.runs.length));
    this.#start(config);
    this.announcement = '';
    this.panel.use(trainers, names);
    this.inside.use(config.task, trainers);
  }

  /** Asks the networks nothing any more: what they are on is gone. */
  letGo(names: readonly string[]): void {
    this.panel.use([], names);
    if (this.#config) this.inside.use(this.#config.task, []);
  }

  /** The runs before these, of the same task. */
  get earlier(): readonly EarlierRun[] {
    return this.#config ? earlier.of(this.#config.task) : [];
  }

  clearEarlier(): void {
    if (!this.#config) return;
    earlier.clear(this.#config.task);
    this.#start(this.#config);
    this.#events.changed();
  }

  report(index: number, report: Report): void {
    this.#history.report(index, report);
    this.panel.report(index, report);
    this.#charts.ask();
    this.#events.changed();
    if (report.kind === 'epoch' && index === 0 && this.#config) {
      const { runs, task } = this.#config;
      const epochs = runs[0]?.epochs ?? report.epoch;
      const words = announcementOf(report, epochs, TASKS[task].goal);
      if (words !== undefined) this.announcement = words;
    }
    const last = index === this.#trainers.length - 1;
    if (last && !document.hidden) this.inside.tick();
    if (last && performance.now() - this.#refreshed > REFRESH_MS && !document.hidden) {
      this.#refreshed = performance.now();
      this.panel.refresh();
    }
  }

  health(index: number, layers: readonly LayerHealth[], step: number): void {
    this.#history.health(index, layers, step);
    this.#charts.ask();
    this.#events.changed();
  }

  /** Finds the figures of models that do not train; ends early where others are shown, or it is cancelled. */
  async test(progress: Progress): Promise<void> {
    const trainers = this.#trainers;
    try {
      for (const [i, trainer] of trainers.entries()) {
        const { step, stepsPerEpoch } = trainer;
        const test = trainer.test(Math.floor(step / stepsPerEpoch), undefined);
        let now = await test.next();
        for (; !now.done && !progress.signal.aborted; now = await test.next()) {
          progress.report(now.value.share);
        }
        if (!now.done || trainers !== this.#trainers) return;
        this.report(i, now.value);
        this.health(i, await trainer.diagnose(), step);
      }
    } catch (error) {
      // models that are no longer shown are gone
      if (trainers === this.#trainers) throw error;
    }
  }

  /** Draws everything as it is now. */
  refresh(): void {
    this.#charts.ask();
    this.panel.refresh();
    this.inside.refresh();
  }

  dispose(): void {
    if (this.#config) earlier.add(this.#config, this.#history);
    document.removeEventListener('visibilitychange', this.#seen);
    this.#charts.dispose();
    this.panel.dispose();
    this.inside.dispose();
  }

  /** Draws the charts of the history that is shown. */
  #start({ task, runs }: Config): void {
    const { epochs = 1, batchSize = 1 } = runs[0] ?? {};
    const count = this.panel.task?.training.count ?? 0;
    const steps = this.#trainers[0]?.steps ?? epochs * Math.ceil(count / batchSize);
    const { goal } = TASKS[task];
    this.#charts.start(this.#history, { goal, steps, epochs, runs, earlier: earlier.of(task) });
  }
}
