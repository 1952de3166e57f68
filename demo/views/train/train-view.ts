// Takes what can be chosen, the address, the person's wishes, and gives settings, runs, charts, pictures, files, wired
// together.
import { render } from 'lit-html';
import type { Device } from 'nonlin';
import { withProgress } from '../../lab/progress.ts';
import type { Lab, Recovery, View } from '../../shell/lab.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import {
  describeRun,
  formatConfig,
  sameConfig,
  TASKS,
  type Config,
} from '../../training/config.ts';
import { messageOf } from '../../training/format.ts';
import type { Settings } from '../../training/settings.ts';
import type { Goal } from '../../training/task.ts';
import type { Trainer } from '../../training/trainer.ts';
import { Board } from './board.ts';
import { configOf, createTrainers, type Choices } from './choices.ts';
import { History, type HistoryState } from './history.ts';
import { keepRun, keptRun, type KeptRun } from './keeping.ts';
import { keptOf } from './kept.ts';
import { divergedAlert, keptAlert } from './messages.ts';
import { openModel, saveTrainer } from './model-file.ts';
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
  /** A run that waits for a device and the task's data. */
  #waiting: KeptRun | undefined;
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
      diverged: (index, step) => this.#diverged(index, step),
      kept: () => keepRun(Promise.resolve(this.#shownRun())),
      failed,
    });
    this.#wide.addEventListener('change', this.#resized);
  }

  /** Loads what the task needs. */
  start(): void {
    this.#show();
    this.#attempt(async () => {
      this.#waiting ??= await keptRun();
      await this.#load();
    });
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    // a run that failed is kept until the person has chosen
    const keeps = this.#lost || this.#session.phase === 'failed';
    // another moves to the next device
    if (!keeps) this.#waiting = this.#shownRun() ?? this.#waiting;
    this.#attempt(async () => {
      if (keeps) await this.#session.abandon();
      else await this.#session.reset();
      await this.#revive();
    });
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    const config = this.#parse(params);
    if (!sameConfig(this.#config, config)) this.#attempt(() => this.#configure(config));
  }

  fail(error: unknown): void {
    void this.#session.fail(error);
  }

  recovery(): Recovery | undefined {
    const kept = keptOf(this.#session);
    if (!kept && !['running', 'paused', 'failed'].includes(this.#session.phase)) return undefined;
    this.#lost = true;
    const run = this.#shownRun();
    if (kept && run?.checkpoints[0]?.step === 0) {
      const run0 = () => this.#attempt(() => this.#bringBack(run));
      return { ...kept, label: 'Bring it back', run: run0 };
    }
    if (kept) return { ...kept, run: () => this.#attempt(() => this.#resume()) };
    return {
      words: 'The training run was too short for a checkpoint.',
      label: 'Start again',
      run: () => this.#attempt(() => this.#train()),
    };
  }

  dispose(): void {
    this.#wide.removeEventListener('change', this.#resized);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#loading.abort();
    const { config } = this.#board;
    const { state } = this.#board.history;
    const waiting = this.#waiting;
    const left = this.#session.reset().then((checkpoints) => runOf(config, checkpoints, state));
    keepRun(left.then((run) => run ?? waiting));
    void left.then(() => this.#board.dispose());
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
  async #configure(config: Config): Promise<void> {
    this.#config = config;
    this.#run = Math.min(this.#run, config.runs.length - 1);
    this.#kept = undefined;
    this.#lab.write('train', formatConfig(config));
    await this.#putAway();
    this.#show();
    await this.#load();
  }

  /** What there is of the runs that are shown; undefined where they have learned nothing. */
  #shownRun(): KeptRun | undefined {
    const { config, history } = this.#board;
    return runOf(config, this.#session.checkpoints, history.state);
  }

  /** Ends the runs that are shown, and says how to have them back. */
  async #putAway(): Promise<void> {
    const { config, history } = this.#board;
    this.#offer(runOf(config, await this.#session.reset(), history.state));
  }

  #offer(run: KeptRun | undefined): void {
    if (run) {
      this.#lab.alerts.show(keptAlert(run, () => this.#attempt(() => this.#bringBack(run))));
    }
  }

  /** Shows runs again that were left, in place of others. */
  async #bringBack({ config, checkpoints, history: state }: KeptRun): Promise<void> {
    this.#lost = false;
    await this.#putAway();
    this.#config = config;
    this.#run = 0;
    this.#lab.write('train', formatConfig(config));
    await this.#load();
    const history = History.from(state);
    history.rewind(checkpoints[0]?.step ?? 0);
    this.#kept = history;
    try {
      await this.#session.show(() => this.#trainersFor(config.runs, checkpoints));
    } finally {
      this.#kept = undefined;
    }
    keepRun(Promise.resolve(this.#shownRun()));
    await this.#test();
  }

  /** Shows the runs that wait, once they can be: at once where they are of these settings, else where that is wished. */
  async #revive(): Promise<void> {
    const run = this.#waiting;
    if (!run || !this.#device || !this.#board.panel.task) return;
    this.#waiting = undefined;
    if (this.#session.trainers.length > 0) return;
    if (sameConfig(run.config, this.#config)) await this.#bringBack(run);
    else this.#offer(run);
  }

  /** Finds the figures of models that do not train. */
  async #test(): Promise<void> {
    await withProgress(this.#work, 'Testing the model', (progress) => this.#board.test(progress));
    this.#render();
  }

  #diverged(index: number, step: number): void {
    const run = this.#board.history.runs[index];
    if (run) run.diverged = step;
    const lower = (config: Config) =>
      this.#attempt(async () => {
        await this.#configure(config);
        await this.#train();
      });
    this.#lab.alerts.show(divergedAlert(this.#config, index, step, lower));
    this.#render();
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
    await this.#revive();
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
    this.#waiting = undefined;
    this.#lab.alerts.remove('kept');
    this.#lab.alerts.remove('diverged');
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
    const device = this.#device;
    if (!device) return;
    const configOfFile = (params: URLSearchParams | undefined): Config =>
      params
        ? this.#parse(params)
        : { ...this.#config, runs: this.#config.runs.slice(this.#run, this.#run + 1) };
    try {
      const opened = await withProgress(this.#work, `Loading ${file.name}`, (progress) =>
        openModel(file, configOfFile, this.#choices, device, progress),
      );
      if (!opened) return;
      const { config, trainers } = opened;
      await this.#putAway();
      this.#config = config;
      this.#run = 0;
      this.#lab.write('train', formatConfig(config));
      await this.#load();
      if (!(await this.#session.show(() => Promise.resolve(trainers)))) return;
      this.#board.history.loaded = file.name;
      keepRun(Promise.resolve(this.#shownRun()));
      this.#board.announcement = `${file.name} is loaded.`;
      await this.#test();
    } catch (error) {
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
      resumeLabel:
        phase === 'failed' || phase === 'stopped' ? keptOf(this.#session)?.label : undefined,
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
        change: (config) => this.#attempt(() => this.#configure(config)),
        select: (run) => {
          this.#run = run;
          this.#render();
        },
        submit: () => this.#attempt(() => this.#train()),
        pause: () => (phase === 'paused' ? this.#session.resume() : this.#session.pause()),
        resume: () => this.#attempt(() => this.#resume()),
        stop: () => this.#attempt(() => this.#stop()),
        reset: () => this.#attempt(() => this.#reset()),
        save: () => this.#attempt(() => this.#save()),
        open: (file) => this.#attempt(() => this.#open(file)),
      }),
      this.#host,
    );
  }

  async #stop(): Promise<void> {
    await this.#session.stop();
    // figures of its start, or of an epoch that is long past, are not those of what was learned
    await this.#test();
  }

  async #reset(): Promise<void> {
    this.#lost = false;
    await this.#putAway();
    keepRun(Promise.resolve(undefined));
  }
}

/** Undefined where nothing was learned or loaded. */
function runOf(
  config: Config | undefined,
  checkpoints: readonly Checkpoint[],
  history: HistoryState,
): KeptRun | undefined {
  const [first] = checkpoints;
  if (!config || !first || (first.step === 0 && history.loaded === undefined)) return undefined;
  return { config, checkpoints, history };
}
