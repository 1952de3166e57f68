// In: what can be chosen, the address, the person's wishes. Out: settings, runs, charts, pictures, files, wired together.
import { html, nothing, render } from 'lit-html';
import type { Device } from 'nonlin';
import type { Lab, Recovery, View } from '../../shell/lab.ts';
import type { ActivationChoice } from '../../training/activations.ts';
import { breathe } from '../../training/breathe.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import {
  describeRun,
  formatConfig,
  parseConfig,
  TASKS,
  type Config,
} from '../../training/config.ts';
import { messageOf } from '../../training/format.ts';
import type { LossChoice } from '../../training/losses.ts';
import type { Settings } from '../../training/settings.ts';
import type { Goal } from '../../training/task.ts';
import { Trainer, type Report } from '../../training/trainer.ts';
import { Charts, figures, layerTable } from './dashboard.ts';
import { runName, settingsForm } from './form.ts';
import { History } from './history.ts';
import { readModel, saveModel } from './model-file.ts';
import type { Panel } from './panels/panel.ts';
import { epochTable, progressBar, taskTabs, toolbar } from './run-controls.ts';
import { Session, type Phase } from './session.ts';
import { loadTask, type LoadedTask } from './tasks.ts';

/** How often pictures are asked for again while networks learn. */
const REFRESH_MS = 350;

export interface Choices {
  readonly activations: readonly ActivationChoice[];
  readonly losses: Readonly<Record<Goal, readonly LossChoice[]>>;
}

export class TrainView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #choices: Choices;
  readonly #session: Session;
  readonly #charts: Charts;
  readonly #panelHost = document.createElement('div');
  #config: Config;
  #history = new History(1);
  #run = 0;
  #device: Device | undefined;
  #loaded: LoadedTask | undefined;
  #loadedName: string | undefined;
  #panel: Panel | undefined;
  #announcement = '';
  #refreshed = 0;
  #frame: number | undefined;
  /** Set from the loss of a device until training goes on or is given up. */
  #lost = false;
  #resumed: { checkpoints: readonly Checkpoint[]; history: History } | undefined;
  readonly #seen = () => {
    if (document.hidden) return;
    this.#charts.draw();
    this.#panel?.refresh();
  };

  constructor(host: HTMLElement, lab: Lab, choices: Choices) {
    this.#host = host;
    this.#lab = lab;
    this.#choices = choices;
    this.#panelHost.className = 'panel-host';
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
    this.#panel?.dispose();
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
    const { task: name } = this.#config;
    if (this.#loadedName === name) return;
    this.#loadedName = name;
    this.#loaded = undefined;
    this.#panel?.dispose();
    this.#panel = undefined;
    this.#panelHost.replaceChildren();
    this.#render();
    try {
      const loaded = await loadTask(name);
      if (this.#loadedName !== name) return;
      this.#loaded = loaded;
      this.#panel = loaded.createPanel({ failed: (error) => this.#lab.report(error) });
      this.#panelHost.replaceChildren(this.#panel.element);
    } catch (error) {
      this.#loadedName = undefined;
      const words = `The task could not be loaded: ${messageOf(error)}`;
      const action = { label: 'Try again', run: () => this.#attempt(() => this.#load()) };
      this.#lab.alerts.show({ topic: 'error', words, fault: true, action });
    }
    this.#render();
  }

  async #trainersFor(
    settings: readonly Settings[],
    from: readonly Checkpoint[] = [],
  ): Promise<Trainer[]> {
    const trainers: Trainer[] = [];
    for (const [i, own] of settings.entries()) {
      trainers.push(this.#trainerFor(own, from[i]));
      // drawing a network's first weights takes a while
      await breathe();
    }
    return trainers;
  }

  #trainerFor(settings: Settings, from: Checkpoint | undefined): Trainer {
    const [loaded, device] = [this.#loaded, this.#device];
    const activation = this.#choices.activations.find(({ op }) => op === settings.activation);
    const loss = this.#choices.losses[this.#goal].find(({ op }) => op === settings.loss);
    if (!loaded || !device) throw new Error('no device');
    if (!activation || !loss) throw new Error('a name without its op');
    const { task } = loaded;
    const known = from ? { from } : {};
    return new Trainer({ settings, activation, loss, task, device, breathe, ...known });
  }

  async #train(): Promise<void> {
    if (!this.#device) await this.#lab.open();
    if (!this.#device || !this.#loaded) return;
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
      this.#panel?.refresh();
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
    this.#panel?.use(trainers, this.#names);
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
    if (phase === 'failed') this.#panel?.use([], this.#names);
    if (phase === 'done') this.#panel?.refresh();
    const focused = document.activeElement;
    this.#render();
    this.#charts.ask();
    // a disabled button would keep a keyboard user's focus and do nothing with it
    if (focused instanceof HTMLButtonElement && focused.disabled) {
      const next = phase === 'running' || phase === 'paused' ? '#pause' : '#train';
      this.#host.querySelector<HTMLButtonElement>(next)?.focus();
    }
  }

  #shownTrainers: readonly Trainer[] = [];

  #report(index: number, report: Report): void {
    this.#history.report(index, report);
    this.#panel?.report(index, report);
    this.#charts.ask();
    this.#ask();
    if (report.kind === 'epoch' && index === 0 && report.epoch > 0) this.#announce(report.epoch);
    const last = index === this.#session.trainers.length - 1;
    if (last && performance.now() - this.#refreshed > REFRESH_MS && !document.hidden) {
      this.#refreshed = performance.now();
      this.#panel?.refresh();
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
    const { task } = this.#config;
    const { phase } = this.#session;
    const active = phase === 'running' || phase === 'paused';
    const ready = this.#device !== undefined && this.#loaded !== undefined;
    const shownPhase = !ready && phase === 'idle' ? 'loading' : phase;
    render(
      html`<div class="intro">
          <h1>Train</h1>
          <p class="lead">${TASKS[task].lead}</p>
        </div>
        ${taskTabs(task, this.#lab.address.params)}
        <div
          class="train"
          id="app"
          data-phase=${shownPhase}
          data-step=${this.#history.step}
          data-task=${task}
        >
          <section class="settings" aria-labelledby="settings-title">
            <h2 id="settings-title" class="visually-hidden">Settings</h2>
            ${settingsForm(
              {
                config: this.#config,
                run: this.#run,
                activations: this.#choices.activations,
                losses: this.#choices.losses[this.#goal],
                disabled: active,
              },
              {
                change: (config) => this.#configure(config),
                select: (run) => {
                  this.#run = run;
                  this.#render();
                },
                submit: () => this.#attempt(() => this.#train()),
              },
            )}
          </section>
          <section class="run" aria-labelledby="run-title">
            <h2 id="run-title" class="visually-hidden">Run</h2>
            ${toolbar({
              phase,
              ready: ready || this.#lost,
              run: this.#config.runs.length > 1 ? runName(this.#run) : '',
              pause: () => (phase === 'paused' ? this.#session.resume() : this.#session.pause()),
              stop: () => this.#attempt(() => this.#session.stop()),
              reset: () => this.#attempt(() => this.#reset()),
              save: () => this.#attempt(() => this.#save()),
              open: (file) => this.#attempt(() => this.#open(file)),
            })}
            ${progressBar(this.#history, phase, this.#session.trainers[0])}
            ${figures(this.#history, this.#goal, this.#names)}
            <p id="announcement" class="visually-hidden" role="status">${this.#announcement}</p>
            ${this.#charts.element} ${layerTable(this.#history, this.#names)}
            ${epochTable(this.#history, this.#goal)}
          </section>
          ${
            this.#loaded
              ? this.#panelHost
              : html`<p class="help loading">
                  ${this.#loadedName ? 'Loading the task…' : nothing}
                </p>`
          }
        </div>`,
      this.#host,
    );
  }

  async #reset(): Promise<void> {
    this.#lost = false;
    this.#resumed = undefined;
    await this.#session.reset();
  }
}
