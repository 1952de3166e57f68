// Takes what can be chosen, the address, the person's wishes, and gives settings, runs, charts, pictures, files, wired
// together.
import { render } from 'lit-html';
import type { Device } from 'nonlin';
import { withProgress } from '../../lab/progress.ts';
import type { Lab, Recovery, View } from '../../shell/lab.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import { describeRun, formatConfig, TASKS, type Config } from '../../training/config.ts';
import { messageOf } from '../../training/format.ts';
import type { Settings } from '../../training/settings.ts';
import type { Goal } from '../../training/task.ts';
import type { Trainer } from '../../training/trainer.ts';
import { Board } from './board.ts';
import { configOf, createTrainers, type Choices } from './choices.ts';
import type { History } from './history.ts';
import { keptOf } from './kept.ts';
import { readModel, saveTrainer } from './model-file.ts';
import { Session, type Phase } from './session.ts';
import { trainPage } from './train-page.ts';

export class TrainView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #choices: Choices;
  readonly #session: Session;
  readonly #board: Board;
  readonly #work = document.createElement('div');
  readonly #wide = matchMedia('(min-width: 60rem)');
  #config: Config;
  #run = 0;
  #device: Device | undefined;
  /** Whose figures are on the page. */
  #shownTrainers: readonly Trainer[] = [];
  #frame: number | undefined;
  /** Ends what is being loaded. */
  #loading = new AbortController();
  /** Set from the loss of a device until training goes on or is given up. */
  #lost = false;
  /** The figures of a run that goes on. */
  #kept: History | undefined;
  readonly #resized = () => this.#render();

  constructor(host: HTMLElement, lab: Lab, choices: Choices) {
    this.#host = host;
    this.#lab = lab;
    this.#choices = choices;
    this.#config = this.#parse(lab.address.params);
    const failed = (error: unknown) => lab.report(error);
    this.#work.className = 'work-host';
    const board = new Board({ changed: () => this.#ask(), failed });
    this.#board = board;
    this.#session = new Session({
      phase: (phase) => this.#phase(phase),
      report: (index, report) => board.report(index, report),
      health: (index, layers, step) => board.health(index, layers, step),
      failed,
    });
    this.#wide.addEventListener('change', this.#resized);
  }

  /** Loads what the task needs. */
  start(): void {
    this.#show();
    this.#attempt(() => this.#load());
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    // a run that failed is kept until the person has chosen
    const keeps = this.#lost || this.#session.phase === 'failed';
    this.#attempt(() => (keeps ? this.#session.abandon() : this.#session.reset()));
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
    const kept = keptOf(this.#session);
    if (!kept && !['running', 'paused', 'failed'].includes(this.#session.phase)) return undefined;
    this.#lost = true;
    if (kept) return { ...kept, run: () => this.#attempt(() => this.#resume()) };
    return {
      words: 'The training run had not got far enough for a checkpoint.',
      label: 'Start again',
      run: () => this.#attempt(() => this.#train()),
    };
  }

  dispose(): void {
    this.#wide.removeEventListener('change', this.#resized);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#loading.abort();
    void this.#session.reset().then(() => this.#board.dispose());
  }

  get #goal(): Goal {
    return TASKS[this.#config.task].goal;
  }

  get #names(): string[] {
    return this.#config.runs.map((_, i) => describeRun(this.#config.runs, i));
  }

  #parse(params: URLSearchParams): Config {
    const { config, faults } = configOf(params, this.#choices);
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
    this.#kept = undefined;
    this.#lab.write('train', formatConfig(config));
    this.#attempt(async () => {
      await this.#session.reset();
      this.#show();
      await this.#load();
    });
  }

  /** Loads the task's data, unless it is there or on its way. */
  async #load(): Promise<void> {
    const { task } = this.#config;
    if (this.#board.panel.name !== task) {
      this.#loading.abort();
      const { signal } = (this.#loading = new AbortController());
      const loading = withProgress(
        this.#work,
        'Loading the task’s data',
        (progress) => this.#board.panel.load(task, progress).then(() => true),
        signal,
      );
      this.#render();
      const retry = { label: 'Try again', run: () => this.#attempt(() => this.#load()) };
      try {
        const loaded = await loading;
        if (!loaded && !signal.aborted) {
          const words = 'The task was not loaded: cancelled.';
          this.#lab.alerts.show({ topic: 'error', words, fault: false, action: retry });
        }
      } catch (error) {
        const words = `The task could not be loaded: ${messageOf(error)}`;
        this.#lab.alerts.show({ topic: 'error', words, fault: true, action: retry });
      }
      // now it is known how many steps there will be
      if (this.#session.trainers.length === 0) this.#show();
    }
    this.#render();
  }

  #trainersFor(runs: readonly Settings[], from: readonly Checkpoint[] = []): Promise<Trainer[]> {
    const { task } = this.#board.panel;
    if (!task || !this.#device) throw new Error('no device');
    return createTrainers(runs, this.#choices, task, this.#device, from);
  }

  async #train(): Promise<void> {
    if (!this.#device) await this.#lab.open();
    if (!this.#device || !this.#board.panel.task) return;
    this.#lost = false;
    await this.#session.start(() => this.#trainersFor(this.#config.runs));
  }

  /** Goes on from the checkpoints of a run that failed. */
  async #resume(): Promise<void> {
    if (!this.#device) await this.#lab.open();
    const { checkpoints } = this.#session;
    const [first] = checkpoints;
    if (!this.#device || !first) return;
    this.#lost = false;
    this.#board.history.rewind(first.step);
    this.#kept = this.#board.history;
    try {
      await this.#session.start(() => this.#trainersFor(this.#config.runs, checkpoints));
    } finally {
      this.#kept = undefined;
    }
  }

  async #save(): Promise<void> {
    const trainer = this.#session.trainers[this.#run];
    if (trainer) await saveTrainer(trainer, this.#config.task);
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
      const shown = await this.#session.show(async () => {
        const trainers = await this.#trainersFor(config.runs);
        for (const trainer of trainers) model.into(trainer.network, device);
        return trainers;
      });
      if (!shown) return;
      this.#board.refresh();
      await withProgress(this.#work, 'Testing the model', (progress) => this.#board.test(progress));
      this.#board.announcement = `${file.name} is loaded.`;
    } catch (error) {
      await this.#session.reset();
      const words = `${file.name} could not be loaded: ${messageOf(error)}`;
      this.#lab.alerts.show({ topic: 'error', words, fault: true });
    }
    this.#render();
  }

  /** Shows the runs that there are, or that there are none; figures of a run that goes on are kept. */
  #show(): void {
    const { trainers } = this.#session;
    const kept = trainers.length > 0 ? this.#kept : undefined;
    this.#shownTrainers = trainers;
    this.#board.show(this.#config, trainers, this.#names, kept);
  }

  #phase(phase: Phase): void {
    const { trainers } = this.#session;
    // a run that only goes on after a pause keeps its figures
    if (phase !== 'failed' && this.#shownTrainers !== trainers) {
      this.#show();
      this.#lab.alerts.remove('error');
    }
    if (phase === 'failed') this.#board.panel.use([], this.#names);
    const focused = document.activeElement;
    this.#render();
    this.#board.refresh();
    // a disabled button would keep a keyboard user's focus and do nothing with it
    if (focused instanceof HTMLButtonElement && (focused.disabled || !focused.isConnected)) {
      const next = phase === 'running' || phase === 'paused' ? '#pause' : '#train';
      this.#host.querySelector<HTMLButtonElement>(next)?.focus();
    }
  }

  #ask(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#render();
    });
  }

  #render(): void {
    const { phase, trainers } = this.#session;
    const loaded = this.#board.panel.task !== undefined;
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
      resumeLabel: phase === 'failed' ? keptOf(this.#session)?.label : undefined,
      wide: this.#wide.matches,
      history: this.#board.history,
      names: this.#names,
      trainer: trainers[0],
      announcement: this.#board.announcement,
      charts: this.#board.charts,
      panel: this.#board.panel.element,
      work: this.#work,
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
        resume: () => this.#attempt(() => this.#resume()),
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
    await this.#session.reset();
  }
}
