// Takes an empty element, the lab, what can be chosen, and gives the page of an experiment, rendered as it goes on.
import { render } from 'lit-html';
import type { Device } from 'nonlin';
import type { Lab, Recovery, View } from '../../shell/lab.ts';
import { sameConfig, TASKS } from '../../training/config.ts';
import { configOfAddress, type Choices } from './choices.ts';
import { Experiment } from './experiment.ts';
import { keptOf } from './kept.ts';
import { openFile } from './open-file.ts';
import type { Phase } from './session.ts';
import { trainPage, type PageState } from './train-page.ts';

export class TrainView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #choices: Choices;
  readonly #experiment: Experiment;
  readonly #wide = matchMedia('(min-width: 60rem)');
  #frame: number | undefined;
  readonly #resized = () => this.#render();

  constructor(host: HTMLElement, lab: Lab, choices: Choices) {
    this.#host = host;
    this.#lab = lab;
    this.#choices = choices;
    this.#experiment = new Experiment(lab, choices, {
      render: () => this.#render(),
      ask: () => this.#ask(),
      phase: (phase) => this.#phase(phase),
      failed: (error) => lab.report(error),
    });
    this.#wide.addEventListener('change', this.#resized);
  }

  start(): void {
    this.#experiment.start();
  }

  useDevice(device: Device | undefined): void {
    this.#experiment.useDevice(device);
  }

  useAddress(params: URLSearchParams): void {
    const config = configOfAddress(params, this.#choices, this.#lab.alerts);
    if (sameConfig(this.#experiment.config, config)) return;
    this.#experiment.attempt(() => this.#experiment.configure(config));
  }

  fail(error: unknown): void {
    void this.#experiment.session.fail(error);
  }

  recovery(): Recovery | undefined {
    const experiment = this.#experiment;
    const { session } = experiment;
    const act = (run: () => Promise<void>) => () => experiment.attempt(run);
    const kept = keptOf(session);
    if (!kept && !['running', 'paused', 'failed'].includes(session.phase)) return undefined;
    experiment.lost = true;
    const run = experiment.shownRun();
    if (kept && run?.checkpoints[0]?.step === 0) {
      return { ...kept, label: 'Bring it back', run: act(() => experiment.bringBack(run)) };
    }
    if (kept) return { ...kept, run: act(() => experiment.resume()) };
    return {
      words: 'The training run was too short for a checkpoint.',
      label: 'Start again',
      run: act(() => experiment.train()),
    };
  }

  dispose(): void {
    this.#wide.removeEventListener('change', this.#resized);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#experiment.dispose();
  }

  #phase(phase: Phase): void {
    const focused = document.activeElement;
    this.#render();
    this.#experiment.board.refresh();
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
    const experiment = this.#experiment;
    const { session } = experiment;
    const act = (run: () => Promise<void>) => () => experiment.attempt(run);
    render(
      trainPage(this.#state(), {
        change: (config) => experiment.attempt(() => experiment.configure(config)),
        select: (run) => (experiment.run = run),
        submit: act(() => experiment.train()),
        pause: () => (session.phase === 'paused' ? session.resume() : session.pause()),
        resume: act(() => experiment.resume()),
        clearEarlier: () => experiment.board.clearEarlier(),
        goOn: act(() => experiment.goOn()),
        stop: act(() => experiment.stop()),
        reset: act(() => experiment.reset()),
        save: act(() => experiment.save()),
        open: (file) =>
          experiment.attempt(() => openFile(file, experiment, this.#choices, this.#lab.alerts)),
      }),
      this.#host,
    );
  }

  #state(): PageState {
    const { board, session, config, run, names, lost, device, work } = this.#experiment;
    const { phase, trainers } = session;
    const loaded = board.panel.task !== undefined;
    // nothing comes of weights that are no numbers any more
    const diverged = board.history.runs.every((one) => one.diverged !== undefined);
    const ended = phase === 'failed' || (phase === 'stopped' && !diverged);
    return {
      config,
      run,
      activations: this.#choices.activations,
      losses: this.#choices.losses[TASKS[config.task].goal],
      disabled: phase === 'running' || phase === 'paused',
      params: this.#lab.address.params,
      phase,
      ready: device !== undefined && loaded,
      loaded,
      lost,
      resumeLabel: ended ? keptOf(session)?.label : undefined,
      canGoOn: this.#experiment.canGoOn,
      wide: this.#wide.matches,
      history: board.history,
      earlier: board.earlier,
      names,
      trainer: trainers[0],
      announcement: board.announcement,
      charts: board.charts,
      gradients: board.gradients,
      panel: board.panel.element,
      below: board.panel.below,
      pictures: board.inside.pictures,
      histograms: board.inside.histograms,
      work,
    };
  }
}
