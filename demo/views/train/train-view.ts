// In: what can be chosen, the address, the person's wishes. Out: settings, runs, charts, pictures, files, wired together.
import { render } from 'lit-html';
import type { Device } from 'nonlin';
import type { Lab, Recovery, View } from '../../shell/lab.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import {
  describeRun,
  formatConfig,
  parseConfig,
  TASKS,
  type Config,
} from '../../training/config.ts';
import { messageOf } from '../../training/format.ts';
import type { Settings } from '../../training/settings.ts';
import type { Goal } from '../../training/task.ts';
import type { Report, Trainer } from '../../training/trainer.ts';
import { Charts } from './dashboard.ts';
import { History } from './history.ts';
import { readModel, saveModel } from './model-file.ts';
import { Session, type Phase } from './session.ts';
import { TaskPanel } from './task-panel.ts';
import { trainPage } from './train-page.ts';
import { createTrainers, type Choices } from './trainers.ts';

/** How often pictures are asked for again while networks learn. */
const REFRESH_MS = 350;

export class TrainView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #choices: Choices;
  readonly #session: Session;
  readonly #charts: Charts;
  readonly #panel: TaskPanel;
  #config: Config;
  #history = new History(1);
  #run = 0;
  #device: Device | undefined;
  #announcement = '';
  #refreshed = 0;
  /** Whose figures are on the page. */
  #shownTrainers: readonly Trainer[] = [];
  #frame: number | undefined;
  /** Set from the loss of a device until training goes on or is given up. */
  #lost = false;
  #resumed: { checkpoints: readonly Checkpoint[]; history: History } | undefined;
  readonly #seen = () => {
    if (document.hidden) return;
    this.#charts.draw();
    this.#panel.refresh();
  };

  constructor(host: HTMLElement, lab: Lab, choices: Choices) {
    this.#host = host;
    this.#lab = lab;
    this.#choices = choices;
    this.#panel = new TaskPanel((error) => lab.report(error));
    this.#config = this.#parse(lab.address.params);
    this.#charts = new Charts(this.#history);
    this.#session = new Session({
      phase: (phase) => this.#phase(phase),
      report: (index, report) => this.#report(index, report),
      health: (index, layers, step) => {
        this.#history.health(index, layers, step);
        this.#charts.ask();
        this.#ask();
      },
      failed: (error) => lab.report(error),
    });
    document.addEventListener('visibilitychange', this.#seen);
  }

  /** Loads what the task needs. */
  async start(): Promise<void> {
    this.#clear();
    this.#render();
    await this.#load();
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    if (this.#lost) {
      // kept on the page until the person has chosen
      this.#attempt(() => this.#session.abandon());
    } else {
      this.#attempt(() => this.#session.reset());
    }
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    const before = formatConfig(this.#config);
    const config = this.#parse(params);
    if (JSON.stringify(before) === JSON.stringify(formatConfig(config))) return;
    this.#configure(config);
  }

  fail(error: unknown): void {
    void this.#session.fail(error);
  }

  recovery(): Recovery | undefined {
    const { checkpoints, phase } = this.#session;
    const [first] = checkpoints;
    if (!['running', 'paused', 'failed'].includes(phase)) return undefined;
    this.#lost = true;
    if (!first) {
      return {
        words: 'The training run had not got far enough for a checkpoint.',
        label: 'Start again',
        run: () => this.#attempt(() => this.#train()),
      };
    }
    this.#resumed = { checkpoints, history: this.#history };
    return {
      words: `The training run was kept as it was at step ${first.step}.`,
      label: `Resume from step ${first.step}`,
      run: () => this.#attempt(() => this.#resume()),
    };
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this.#seen);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    void this.#session.reset().then(() => this.#charts.dispose());
    this.#panel.dispose();
  }

  get #goal(): Goal {
    return TASKS[this.#config.task].goal;
  }

  get #names(): string[] {
    return this.#config.runs.map((_, i) => describeRun(this.#config.runs, i));
  }

  #parse(params: URLSearchParams): Config {
    const { config, faults } = parseConfig(params, (task) => ({
      activations: this.#choices.activations.map(({ op }) => op),
      losses: this.#choices.losses[TASKS[task].goal].map(({ op }) => op),
    }));
    if (faults.length > 0) {
      const words = `The address: ${faults.join('; ')}.`;
      this.#lab.alerts.show({ topic: 'query', words, fault: true });
    }
    return config;
  }

  /** Runs what may go wrong at once or later; either way it is shown. */
  #attempt(act: () => Promise<void>): void {
    act().catch((error: unknown) => this.fail(error));
  }

  /** Takes another configuration, which ends what is going on. */
  #configure(config: Config): void {
    this.#config = config;
    this.#run = Math.min(this.#run, config.runs.length - 1);
    this.#resumed = undefined;
    this.#lab.write('train', formatConfig(config));
    this.#attempt(async () => {
      await this.#session.reset();
      this.#clear();
      this.#render();
      await this.#load();
    });
  }

  async #load(): Promise<void> {
    try {
      const loading = this.#panel.load(this.#config.task);
      this.#render();
      await loading;
    } catch (error) {
      const words = `The task could not be loaded: ${messageOf(error)}`;
      const action = { label: 'Try again', run: () => this.#attempt(() => this.#load()) };
      this.#lab.alerts.show({ topic: 'error', words, fault: true, action });
    }
    this.#render();
  }

  #trainersFor(runs: readonly Settings[], from: readonly Checkpoint[] = []): Promise<Trainer[]> {
    const { task } = this.#panel;
    if (!task || !this.#device) throw new Error('no device');
    return createTrainers(runs, this.#choices, task, this.#device, from);
  }

  async #train(): Promise<void> {
    if (!this.#device) await this.#lab.open();
    if (!this.#device || !this.#panel.task) return;
    this.#resumed = undefined;
    this.#lost = false;
    await this.#session.start(() => this.#trainersFor(this.#config.runs));
  }

  async #resume(): Promise<void> {
    const kept = this.#resumed;
    if (!kept || !this.#device) return;
    this.#lost = false;
    kept.history.rewind(kept.checkpoints[0]?.step ?? 0);
    await this.#session.start(() => this.#trainersFor(this.#config.runs, kept.checkpoints));
    this.#resumed = undefined;
  }

  async #save(): Promise<void> {
    const trainer = this.#session.trainers[this.#run];
    if (!trainer) return;
    const { task } = this.#config;
    const config = { task, runs: [trainer.settings] };
    const name = `nonlin-${task}-${trainer.settings.activation}.safetensors`;
    await saveModel(trainer.network, config, name);
  }

  async #open(file: File): Promise<void> {
    try {
      const model = readModel(await file.arrayBuffer());
      const config = model.params
        ? this.#parse(model.params)
        : { ...this.#config, runs: this.#config.runs.slice(this.#run, this.#run + 1) };
      await this.#session.reset();
      this.#config = config;
      this.#run = 0;
      this.#lab.write('train', formatConfig(config));
      await this.#load();
      const device = this.#device;
      if (!device) return;
      await this.#session.show(async () => {
        const trainers = await this.#trainersFor(config.runs);
        for (const trainer of trainers) model.into(trainer.network, device);
        return trainers;
      });
      for (const [i, trainer] of this.#session.trainers.entries()) {
        this.#report(i, await trainer.test(0, undefined));
        this.#history.health(i, await trainer.diagnose(), 0);
      }
      this.#announcement = `${file.name} is loaded.`;
      this.#panel.refresh();
    } catch (error) {
      await this.#session.reset();
      const words = `${file.name} could not be loaded: ${messageOf(error)}`;
      this.#lab.alerts.show({ topic: 'error', words, fault: true });
    }
    this.#render();
  }

  /** New figures, of no run yet or of those that begin. */
  #clear(): void {
    const trainers = this.#session.trainers;
    this.#history =
      this.#resumed && trainers.length > 0
        ? this.#resumed.history
        : new History(Math.max(1, this.#config.runs.length));
    this.#charts.start(this.#history, this.#goal, trainers[0]?.steps ?? 0);
    this.#announcement = '';
    this.#panel.use(trainers, this.#names);
  }

  #phase(phase: Phase): void {
    if (phase === 'idle' || phase === 'running' || phase === 'stopped') {
      // a run that only goes on after a pause keeps its figures
      if (this.#shownTrainers !== this.#session.trainers) {
        this.#shownTrainers = this.#session.trainers;
        this.#clear();
        this.#lab.alerts.remove('error');
      }
    }
    if (phase === 'failed') this.#panel.use([], this.#names);
    if (phase === 'done') this.#panel.refresh();
    const focused = document.activeElement;
    this.#render();
    this.#charts.ask();
    // a disabled button would keep a keyboard user's focus and do nothing with it
    if (focused instanceof HTMLButtonElement && focused.disabled) {
      const next = phase === 'running' || phase === 'paused' ? '#pause' : '#train';
      this.#host.querySelector<HTMLButtonElement>(next)?.focus();
    }
  }

  #report(index: number, report: Report): void {
    this.#history.report(index, report);
    this.#panel.report(index, report);
    this.#charts.ask();
    this.#ask();
    if (report.kind === 'epoch' && index === 0 && report.epoch > 0) this.#announce(report.epoch);
    const last = index === this.#session.trainers.length - 1;
    if (last && performance.now() - this.#refreshed > REFRESH_MS && !document.hidden) {
      this.#refreshed = performance.now();
      this.#panel.refresh();
    }
  }

  #announce(epoch: number): void {
    const { epochs } = this.#config.runs[0] ?? { epochs: epoch };
    // not more than ten times a run: it is read aloud
    if (epoch % Math.ceil(epochs / 10) !== 0 && epoch !== epochs) return;
    const score = this.#history.runs[0]?.test?.heldOut;
    const words =
      this.#goal === 'classes'
        ? `held-out accuracy ${((score?.accuracy ?? NaN) * 100).toFixed(1)} %`
        : `squared error ${(score?.error ?? NaN).toPrecision(2)}`;
    this.#announcement = `Epoch ${epoch} of ${epochs}: ${words}.${epoch === epochs ? ' Finished.' : ''}`;
  }

  #ask(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#render();
    });
  }

  #render(): void {
    const { phase, trainers } = this.#session;
    const loaded = this.#panel.task !== undefined;
    const state = {
      config: this.#config,
      run: this.#run,
      activations: this.#choices.activations,
      losses: this.#choices.losses[this.#goal],
      disabled: phase === 'running' || phase === 'paused',
      params: this.#lab.address.params,
      phase,
      ready: this.#device !== undefined && loaded,
      loaded,
      lost: this.#lost,
      history: this.#history,
      names: this.#names,
      trainer: trainers[0],
      announcement: this.#announcement,
      charts: this.#charts.element,
      panel: this.#panel.element,
    };
    render(
      trainPage(state, {
        change: (config) => this.#configure(config),
        select: (run) => {
          this.#run = run;
          this.#render();
        },
        submit: () => this.#attempt(() => this.#train()),
        pause: () => (phase === 'paused' ? this.#session.resume() : this.#session.pause()),
        stop: () => this.#attempt(() => this.#session.stop()),
        reset: () => this.#attempt(() => this.#reset()),
        save: () => this.#attempt(() => this.#save()),
        open: (file) => this.#attempt(() => this.#open(file)),
      }),
      this.#host,
    );
  }

  async #reset(): Promise<void> {
    this.#lost = false;
    this.#resumed = undefined;
    await this.#session.reset();
  }
}
