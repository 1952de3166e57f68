// Takes the standings of two networks that learn, the person's and the usual one, and gives them on the page as they learn.
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { keys, Plot } from '../../lab/plot.ts';
import { onTheme } from '../../shell/theme.ts';
import { formatPercent } from '../../training/format.ts';
import type { Standing } from '../../training/race.ts';
import { DRAWN } from '../../training/small.ts';
import { paintBoundary } from '../train/panels/boundary.ts';
import type { TrainingTask } from './protocol.ts';

const SIDE = 360;
const COLOURS = ['--c2', '--c1'] as const;
/** Reports are of few examples: what is drawn is their running mean, of which each new one is such a share. */
const FRESH = 0.25;

type Phase = 'idle' | 'running' | 'ended' | 'stopped';

export interface MatchEvents {
  readonly train: (task: TrainingTask) => void;
  readonly stop: () => void;
}

export class Match {
  readonly element = document.createElement('section');
  readonly #events: MatchEvents;
  readonly #canvases = [0, 1].map(() => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = SIDE;
    canvas.setAttribute('role', 'img');
    return canvas;
  });
  readonly #chart = document.createElement('div');
  readonly #legend = document.createElement('div');
  readonly #plot: Plot;
  readonly #untheme: () => void;
  #ready = false;
  #why = '';
  #phase: Phase = 'idle';
  #task: TrainingTask | undefined;
  #standings: readonly Standing[] = [];
  #progress = 0;
  #steps: number[] = [];
  #means: [number[], number[]] = [[], []];

  constructor(events: MatchEvents) {
    this.#events = events;
    this.element.className = 'match';
    this.element.setAttribute('aria-labelledby', 'match-title');
    const frame = document.createElement('div');
    this.#chart.className = 'match-chart';
    this.#chart.append(frame, this.#legend);
    this.#plot = new Plot(frame, {
      yRange: () => [0, 1.02],
      yTick: (value) => `${Math.round(100 * value)} %`,
    });
    this.#untheme = onTheme(() => this.#paint());
    this.#render();
  }

  /** Whether there is code to train with; if not, `why` says what is missing. */
  allow(ready: boolean, why = ''): void {
    this.#ready = ready;
    this.#why = why;
    this.#render();
  }

  moved(standings: readonly Standing[], step: number, steps: number): void {
    if (this.#phase !== 'running') return;
    this.#standings = standings;
    this.#progress = step / steps;
    const seen = standings.flatMap(({ training }) => training ?? []);
    // one of them may have reported nothing yet
    if (seen.length === standings.length && step > (this.#steps.at(-1) ?? 0)) {
      this.#steps.push(step);
      this.#means.forEach((means, i) => {
        const now = seen[i] ?? NaN;
        const before = means.at(-1) ?? now;
        means.push(before + FRESH * (now - before));
      });
    }
    this.#paint();
    this.#render();
  }

  /** The training has ended by itself. */
  over(): void {
    if (this.#phase === 'running') this.#enter('ended');
  }

  /** It was ended, as the code is another now, or the device is gone. */
  stopped(): void {
    if (this.#phase === 'running') this.#enter('stopped');
  }

  dispose(): void {
    this.#untheme();
    this.#plot.dispose();
  }

  #start(task: TrainingTask): void {
    this.#task = task;
    this.#standings = [];
    this.#progress = 0;
    this.#steps = [];
    this.#means = [[], []];
    this.#enter('running');
    this.#paint();
    this.#events.train(task);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#render();
  }

  #paint(): void {
    const names = this.#standings.map(({ name }) => name);
    if (this.#task === 'spirals') {
      this.#canvases.forEach((canvas, i) => {
        paintBoundary(canvas, DRAWN, this.#standings[i]?.shares);
        const words = `Answers of the network with ${names[i] ?? '…'} over the plane`;
        canvas.setAttribute('aria-label', words);
      });
    }
    if (names.length === 0) return;
    const series = names.map((label, i) => ({
      label,
      y: this.#means[i] ?? [],
      colour: COLOURS[i] ?? '--c1',
    }));
    const last = series.map(({ label, y }) => `${label} ${formatPercent(y.at(-1) ?? NaN)}`);
    this.#plot.show({ x: this.#steps, series }, `Training examples right: ${last.join(', ')}`);
    const [first = '', second = ''] = names;
    this.#legend.replaceChildren(keys(['c2', first], ['c1', second]).element);
  }

  #render(): void {
    const running = this.#phase === 'running';
    const button = (task: TrainingTask, words: string) =>
      html`<button
        type="button"
        id=${`train-${task}`}
        ?disabled=${!this.#ready || running}
        @click=${() => this.#start(task)}
      >
        ${words}
      </button>`;
    render(
      html`<h2 id="match-title">Train with it</h2>
        <p class="help">
          Two networks start with the same weights and see the same examples: one with the code
          above, one with relu, or for a loss with mseLoss.
        </p>
        <div class="toolbar">
          ${button('spirals', 'Two spirals')} ${button('digits', 'Digits')}
          ${
            running
              ? html`<button
                  type="button"
                  id="train-stop"
                  @click=${() => {
                    this.#events.stop();
                    this.stopped();
                  }}
                >
                  Stop
                </button>`
              : nothing
          }
          ${this.#ready || running ? nothing : html`<p class="help">${this.#why}</p>`}
        </div>
        <div id="match" data-phase=${this.#phase} data-progress=${this.#progress}>
          ${this.#phase === 'idle' ? nothing : this.#shown()}
        </div>`,
      this.element,
    );
  }

  #shown(): TemplateResult {
    const words = {
      idle: '',
      running:
        this.#task === 'digits' && this.#progress === 0 ? 'Loading the digits…' : 'Learning…',
      ended: 'Done: this is how they read examples that they have not seen.',
      stopped: 'Stopped.',
    }[this.#phase];
    const pictures = this.#task === 'spirals';
    return html`<progress
        max="1"
        .value=${this.#progress}
        aria-label="Progress of the training"
      ></progress>
      <p class="help" role="status">${words}</p>
      <div class="match-body ${pictures ? 'with-pictures' : ''}">
        ${this.#standings.length === 0 ? nothing : [0, 1].map((i) => this.#entrant(i, pictures))}
        <div ${ref((host) => host?.replaceChildren(this.#chart))}></div>
      </div>`;
  }

  #entrant(i: number, picture: boolean): TemplateResult {
    const standing = this.#standings[i];
    const accuracy = standing?.accuracy;
    const lost = standing?.loss !== undefined && !Number.isFinite(standing.loss);
    return html`<figure data-entrant=${i} data-accuracy=${accuracy ?? nothing}>
      ${
        picture
          ? html`<div
              ${ref((host) => {
                const canvas = this.#canvases[i];
                if (host && canvas) host.replaceChildren(canvas);
              })}
            ></div>`
          : nothing
      }
      <figcaption>
        <span>${standing?.name}</span>
        <span class="right">${accuracy === undefined ? '–' : formatPercent(accuracy)}</span>
        ${lost ? html`<span class="wrong">it diverged: the loss is no number</span>` : nothing}
      </figcaption>
    </figure>`;
  }
}
