// Takes what can be chosen, the lab, settings and the person's wishes, and gives runs that are started, ended, kept,
// brought back, saved and loaded.
import type { Device } from 'nonlin';
import { withProgress } from '../../lab/progress.ts';
import type { Lab } from '../../shell/lab.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import { describeRun, formatConfig, sameConfig, type Config } from '../../training/config.ts';
import { RANGES, type Settings } from '../../training/settings.ts';
import type { Trainer } from '../../training/trainer.ts';
import { Board } from './board.ts';
import { configOfAddress, createTrainers, type Choices } from './choices.ts';
import type { Opened } from './foreign.ts';
import { History } from './history.ts';
import { keepRun, keptRun, runOf, type KeptRun } from './keeping.ts';
import { divergedAlert, keptAlert } from './messages.ts';
import { saveTrainer } from './model-file.ts';
import { Session, type Phase } from './session.ts';
import { loadTaskOf } from './task-loading.ts';

/** What a press of "Five more epochs" adds. */
const MORE_EPOCHS = 5;

export interface ExperimentEvents {
  /** The page is to be rendered again: at once, or with the next frame. */
  readonly render: () => void;
  readonly ask: () => void;
  readonly phase: (phase: Phase) => void;
  readonly failed: (error: unknown) => void;
}

/** A configuration with its runs: one to three networks that learn side by side. */
export class Experiment {
  readonly session: Session;
  readonly board: Board;
  /** Where work that takes a while says how far it is. */
  readonly work = document.createElement('div');
  /** Set from the loss of a device until training goes on or is given up. */
  lost = false;
  readonly #lab: Lab;
  readonly #choices: Choices;
  readonly #events: ExperimentEvents;
  #config: Config;
  #run = 0;
  #device: Device | undefined;
  /** Whose figures are on the page. */
  #shownTrainers: readonly Trainer[] = [];
  /** Ends what is being loaded. */
  #loading = new AbortController();
  /** The figures of a run that goes on. */
  #kept: History | undefined;
  /** A run that waits for a device and the task's data. */
  #waiting: KeptRun | undefined;

  constructor(lab: Lab, choices: Choices, events: ExperimentEvents) {
    this.#lab = lab;
    this.#choices = choices;
    this.#events = events;
    this.#config = configOfAddress(lab.address.params, choices, lab.alerts);
    this.work.className = 'work-host';
    const { failed } = events;
    const board = new Board({ changed: events.ask, failed });
    this.board = board;
    this.session = new Session({
      phase: (phase) => this.#phase(phase),
      report: (index, report) => board.report(index, report),
      health: (index, layers, step) => board.health(index, layers, step),
      diverged: (index, step) => this.#diverged(index, step),
      kept: () => keepRun(Promise.resolve(this.shownRun())),
      failed,
    });
  }

  get config(): Config {
    return this.#config;
  }

  get device(): Device | undefined {
    return this.#device;
  }

  get names(): string[] {
    return this.#config.runs.map((_, i) => describeRun(this.#config.runs, i));
  }

  /** The run whose settings are shown, and which is saved. */
  get run(): number {
    return this.#run;
  }

  set run(run: number) {
    this.#run = run;
    this.board.inside.select(run);
    this.#events.render();
  }

  /** Runs what may go wrong at once or later; either way it is shown. */
  attempt(act: () => Promise<void>): void {
    act().catch((error: unknown) => this.session.fail(error));
  }

  /** Loads what the task needs. */
  start(): void {
    this.#show();
    this.attempt(async () => {
      this.#waiting ??= await keptRun();
      await this.#load();
    });
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    // a run that failed is kept until the person has chosen
    const keeps = this.lost || this.session.phase === 'failed';
    // another moves to the next device
    if (!keeps) this.#waiting = this.shownRun() ?? this.#waiting;
    this.attempt(async () => {
      if (keeps) await this.session.abandon();
      else await this.session.reset();
      await this.#revive();
    });
    this.#events.render();
  }

  /** Ends everything, and keeps the runs. */
  dispose(): void {
    this.#loading.abort();
    const { config } = this.board;
    const { state } = this.board.history;
    const waiting = this.#waiting;
    const left = this.session.reset().then((checkpoints) => runOf(config, checkpoints, state));
    keepRun(left.then((run) => run ?? waiting));
    void left.then(() => this.board.dispose());
  }

  /** Takes another configuration, which ends what is going on. */
  async configure(config: Config): Promise<void> {
    this.#kept = undefined;
    this.#write(config, Math.min(this.#run, config.runs.length - 1));
    await this.#putAway();
    this.#show();
    await this.#load();
  }

  /** What there is of the runs that are shown; undefined where they have learned nothing. */
  shownRun(): KeptRun | undefined {
    const { config, history } = this.board;
    return runOf(config, this.session.checkpoints, history.state);
  }

  async train(): Promise<void> {
    if (!this.#device) await this.#lab.open();
    if (!this.#device || !this.board.panel.task) return;
    this.lost = false;
    this.#waiting = undefined;
    this.#lab.alerts.remove('kept');
    for (const topic of ['diverged', 'loaded']) this.#lab.alerts.remove(topic);
    await this.session.start(() => this.#trainersFor(this.#config.runs));
  }

  /** Goes on from the checkpoints of runs that have ended. */
  async resume(): Promise<void> {
    if (!this.#device) await this.#lab.open();
    const { checkpoints } = this.session;
    const [first] = checkpoints;
    if (!this.#device || !first) return;
    this.lost = false;
    this.board.history.rewind(first.step);
    this.#kept = this.board.history;
    try {
      await this.session.start(() => this.#trainersFor(this.#config.runs, checkpoints));
    } finally {
      this.#kept = undefined;
    }
  }

  /** Whether the runs that have ended can go on for more epochs. */
  get canGoOn(): boolean {
    const { phase } = this.session;
    const whole = this.board.history.runs.every(({ diverged }) => diverged === undefined);
    const longest = Math.max(...this.#config.runs.map(({ epochs }) => epochs));
    return phase === 'done' && whole && longest + MORE_EPOCHS <= RANGES.epochs.max;
  }

  /** Trains for more epochs from where the runs have ended: the same steps as if they had been asked for at first. */
  async goOn(): Promise<void> {
    const runs = this.#config.runs.map((run) => ({ ...run, epochs: run.epochs + MORE_EPOCHS }));
    this.#write({ ...this.#config, runs }, this.#run);
    await this.resume();
  }

  async stop(): Promise<void> {
    await this.session.stop();
    // figures of its start, or of an epoch that is long past, are not those of what was learned
    await this.test();
  }

  async reset(): Promise<void> {
    this.lost = false;
    await this.#putAway();
    keepRun(Promise.resolve(undefined));
  }

  async save(): Promise<void> {
    const trainer = this.session.trainers[this.#run];
    if (trainer) await saveTrainer(trainer, this.#config.task);
  }

  /** Shows a file's networks in place of those before; false where others were asked for meanwhile. */
  async adopt({ config, trainers }: Opened, name: string): Promise<boolean> {
    await this.#putAway();
    this.#write(config, 0);
    await this.#load();
    if (!(await this.session.show(() => Promise.resolve(trainers)))) return false;
    this.board.history.loaded = name;
    keepRun(Promise.resolve(this.shownRun()));
    return true;
  }

  /** Shows runs again that were left, in place of others. */
  async bringBack({ config, checkpoints, history: state }: KeptRun): Promise<void> {
    this.lost = false;
    await this.#putAway();
    this.#write(config, 0);
    await this.#load();
    const history = History.from(state);
    history.rewind(checkpoints[0]?.step ?? 0);
    this.#kept = history;
    try {
      await this.session.show(() => this.#trainersFor(config.runs, checkpoints));
    } finally {
      this.#kept = undefined;
    }
    keepRun(Promise.resolve(this.shownRun()));
    await this.test();
  }

  #write(config: Config, run: number): void {
    this.#config = config;
    this.#run = run;
    this.board.inside.select(run);
    this.#lab.write('train', formatConfig(config));
  }

  /** Ends the runs that are shown, and says how to have them back. */
  async #putAway(): Promise<void> {
    const { config, history } = this.board;
    this.#offer(runOf(config, await this.session.reset(), history.state));
  }

  #offer(run: KeptRun | undefined): void {
    if (run) {
      this.#lab.alerts.show(keptAlert(run, () => this.attempt(() => this.bringBack(run))));
    }
  }

  /** Shows the runs that wait, once they can be: at once where they are of these settings, else where that is wished. */
  async #revive(): Promise<void> {
    const run = this.#waiting;
    if (!run || !this.#device || !this.board.panel.task) return;
    this.#waiting = undefined;
    if (this.session.trainers.length > 0) return;
    if (sameConfig(run.config, this.#config)) await this.bringBack(run);
    else this.#offer(run);
  }

  /** Finds the figures of models that do not train. */
  async test(): Promise<void> {
    await withProgress(this.work, 'Testing the model', (progress) => this.board.test(progress));
    this.#events.render();
  }

  #diverged(index: number, step: number): void {
    const run = this.board.history.runs[index];
    if (run) run.diverged = step;
    const lower = (config: Config) =>
      this.attempt(async () => {
        await this.configure(config);
        await this.train();
      });
    this.#lab.alerts.show(divergedAlert(this.#config, index, step, lower));
    this.#events.render();
  }

  /** Loads the task's data, unless it is there or on its way. */
  async #load(): Promise<void> {
    const { task } = this.#config;
    if (this.board.panel.name !== task) {
      this.#loading.abort();
      const { signal } = (this.#loading = new AbortController());
      const loading = loadTaskOf(task, this.board.panel, {
        alerts: this.#lab.alerts,
        work: this.work,
        signal,
        again: () => this.attempt(() => this.#load()),
      });
      this.#events.render();
      await loading;
      // now it is known how many steps there will be
      if (this.session.trainers.length === 0) this.#show();
    }
    this.#events.render();
    await this.#revive();
  }

  #trainersFor(runs: readonly Settings[], from: readonly Checkpoint[] = []): Promise<Trainer[]> {
    const { task } = this.board.panel;
    if (!task || !this.#device) throw new Error('no device');
    return createTrainers(runs, this.#choices, task, this.#device, from);
  }

  /** Shows the runs that there are, or that there are none; figures of a run that goes on are kept. */
  #show(): void {
    const { trainers } = this.session;
    const kept = trainers.length > 0 ? this.#kept : undefined;
    this.#shownTrainers = trainers;
    this.board.show(this.#config, trainers, this.names, kept);
  }

  #phase(phase: Phase): void {
    // a run that only goes on after a pause keeps its figures
    if (phase !== 'failed' && this.#shownTrainers !== this.session.trainers) {
      this.#show();
      this.#lab.alerts.remove('error');
    }
    if (phase === 'failed') this.board.letGo(this.names);
    this.#events.phase(phase);
  }
}
