// Takes an empty element, the lab, and gives the front page: what this is, three networks that learn, a pad that is read.
import './home.css';
import '../train/panels/panels.css';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import type { Device } from 'nonlin';
import { chosen } from '../../lab/chosen.ts';
import { copyButton } from '../../lab/copy.ts';
import { describeDevice } from '../../shell/devices.ts';
import type { Lab, Mount, View } from '../../shell/lab.ts';
import { onTheme } from '../../shell/theme.ts';
import { formatPercent } from '../../training/format.ts';
import { DRAWN } from '../../training/small.ts';
import { paintBoundary } from '../train/panels/boundary.ts';
import { FIXED, PICKABLE, type Name } from './choices.ts';
import { HomePad } from './home-pad.ts';
import { startRace, type Race, type Standing } from './race.ts';

const INSTALL = 'npm install nonlin';
const PACKAGE = 'https://www.npmjs.com/package/nonlin';
const DEFAULT_PICK: Name = 'tanh';
const SIDE = 360;

/** `waiting`: it is not to start by itself, or has no device yet. */
type Phase = 'waiting' | 'running' | 'paused' | 'ended';

export const mount: Mount = (host, lab) => new HomeView(host, lab);

class HomeView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #pad: HomePad;
  readonly #canvases = [0, 1, 2].map(() => newCanvas());
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #untheme: () => void;
  #device: Device | undefined;
  #pick: Name = DEFAULT_PICK;
  #race: Race<Name> | undefined;
  #phase: Phase = 'waiting';
  #standings: readonly Standing<Name>[] = [];
  #progress = 0;
  readonly #hidden = (): void => {
    // a tab that nobody sees has nothing to show
    if (this.#phase !== 'running') return;
    if (document.hidden) this.#race?.pause();
    else this.#race?.resume();
  };

  constructor(host: HTMLElement, lab: Lab) {
    this.#host = host;
    this.#lab = lab;
    this.#take(lab.address.params);
    this.#pad = new HomePad((error) => lab.report(error));
    this.#untheme = onTheme(() => this.#paint());
    document.addEventListener('visibilitychange', this.#hidden);
    this.#render();
    this.#paint();
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    this.#pad.useDevice(device);
    this.#race?.stop();
    this.#race = undefined;
    this.#phase = 'waiting';
    if (device && !this.#still.matches) this.#start();
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    const before = this.#pick;
    this.#take(params);
    if (this.#pick !== before) this.#start();
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this.#hidden);
    this.#untheme();
    this.#race?.stop();
    this.#pad.dispose();
  }

  #take(params: URLSearchParams): void {
    this.#pick = PICKABLE.find((name) => name === params.get('third')) ?? DEFAULT_PICK;
  }

  get #names(): readonly Name[] {
    return [...FIXED, this.#pick];
  }

  #start(): void {
    this.#race?.stop();
    this.#standings = [];
    this.#progress = 0;
    const device = this.#device;
    if (!device) return;
    const race = startRace(device, this.#names, {
      moved: (standings, step, steps) => {
        if (race !== this.#race) return;
        this.#standings = standings;
        this.#progress = step / steps;
        this.#paint();
        this.#render();
      },
      ended: () => {
        if (race === this.#race) this.#enter('ended');
      },
      failed: (error) => this.#lab.report(error),
    });
    this.#race = race;
    if (document.hidden) race.pause();
    this.#enter('running');
  }

  #toggle(): void {
    if (this.#phase === 'running') {
      this.#race?.pause();
      this.#enter('paused');
    } else if (this.#phase === 'paused') {
      this.#race?.resume();
      this.#enter('running');
    } else {
      this.#start();
    }
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#render();
  }

  #choose(name: string): void {
    this.#pick = PICKABLE.find((one) => one === name) ?? DEFAULT_PICK;
    this.#lab.write('home', { third: this.#pick === DEFAULT_PICK ? undefined : this.#pick });
    this.#start();
    this.#render();
  }

  #paint(): void {
    this.#canvases.forEach((canvas, i) => {
      const standing = this.#standings[i];
      paintBoundary(canvas, DRAWN, standing?.shares);
      const name = this.#names[i] ?? '';
      const right = standing?.accuracy === undefined ? 'not yet' : formatPercent(standing.accuracy);
      canvas.setAttribute(
        'aria-label',
        `Answers of the network with ${name} over the plane: ${right}`,
      );
      Object.assign(canvas, {
        plotted: { x: [], series: [{ label: name, y: standing?.shares ?? [] }] },
      });
    });
  }

  #render(): void {
    const found = this.#device ? describeDevice(this.#device) : 'looking for a GPU…';
    render(
      html`<div class="home" data-phase=${this.#phase} data-progress=${this.#progress}>
        <section class="hello">
          <h1>The non-linear part of a neural network, on your GPU</h1>
          <p class="lead">
            PyTorch’s activations, norms, attention and losses as WebGPU shaders, forward and
            backward, accurate to the last digits. Without a GPU they run on the CPU.
          </p>
          <p class="install">
            <code>${INSTALL}</code>${copyButton(() => INSTALL)}
            <a href=${PACKAGE}>Code and documentation</a>
            <a href="#/functions">All functions</a>
            <a href="#/write">A transformer that learns to write</a>
            <a href="#/own">Write your own activation</a>
            <a href="#/gpu">How wrong is your GPU?</a>
          </p>
          <p class="found">Everything here runs on: <strong>${found}</strong></p>
        </section>
        <section class="race" aria-labelledby="race-title">
          <div class="race-head">
            <h2 id="race-title">Three networks learn to tell two spirals apart</h2>
            <button
              type="button"
              class="small"
              id="race-toggle"
              ?disabled=${!this.#device}
              @click=${() => this.#toggle()}
            >
              ${{ waiting: 'Start', running: 'Pause', paused: 'Go on', ended: 'Again' }[this.#phase]}
            </button>
          </div>
          <div class="racers">${this.#canvases.map((canvas, i) => this.#racer(canvas, i))}</div>
          <progress
            max="1"
            .value=${this.#progress}
            aria-label="Progress of the training"
          ></progress>
          <p class="help">
            All three see the same points and start with the same weights; only the activation
            differs.
            <a href="#/train?task=spirals&vs=activation:relu;activation:gelu">Train it yourself</a>
          </p>
        </section>
        ${this.#pad.element}
      </div>`,
      this.#host,
    );
  }

  #racer(canvas: HTMLCanvasElement, i: number): TemplateResult {
    const accuracy = this.#standings[i]?.accuracy;
    const name = this.#names[i] ?? '';
    return html`<figure data-racer=${name} data-accuracy=${accuracy ?? nothing}>
      <div ${ref((host) => host?.replaceChildren(canvas))}></div>
      <figcaption>
        ${
          i < FIXED.length
            ? html`<span>${name}</span>`
            : html`<select
                aria-label="Activation of the third network"
                @change=${(event: Event) =>
                  this.#choose((event.currentTarget as HTMLSelectElement).value)}
              >
                ${PICKABLE.map((one) => html`<option value=${one}>${one}</option>`)}
                ${chosen(this.#pick)}
              </select>`
        }
        <span class="right">${accuracy === undefined ? '–' : formatPercent(accuracy)}</span>
      </figcaption>
    </figure>`;
  }
}

function newCanvas(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  canvas.setAttribute('role', 'img');
  return canvas;
}
