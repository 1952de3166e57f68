// Takes an empty element, the lab, and gives the view in which a small GPT learns to write.
import '../train/train.css';
import '../train/controls.css';
import '../train/figures.css';
import './write.css';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import { download } from '../../lab/download.ts';
import type { Lab, Mount, View } from '../../shell/lab.ts';
import { faultOf } from './corpus.ts';
import { samplingControls, settingsForm, toolbar, type TextKind } from './controls.ts';
import { earlierTexts, factsOf, figures, progressBar, runList } from './figures.ts';
import { HeadMaps } from './head-maps.ts';
import { LossChart } from './loss-chart.ts';
import { sameSource, type Sampling, type Source } from './protocol.ts';
import type { Run, Sample } from './run.ts';
import { MOST_RUNS, stepsMore, theSession, type Session } from './session.ts';
import {
  formatChoice,
  kindOf,
  parseChoice,
  promptFor,
  sameChoice,
  SIZES,
  TEXTS,
  type Choice,
  type Kind,
} from './settings.ts';
import { TextPanel } from './text-panel.ts';

export const mount: Mount = async (host, lab) => new WriteView(host, lab, await theSession());

/** What is set while nothing trains is tried at once, when it is set no more. */
const SETTLED_MS = 350;

class WriteView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #session: Session;
  readonly #text: TextPanel;
  readonly #heads: HeadMaps;
  readonly #chart = new LossChart();
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #wide = matchMedia('(min-width: 60rem)');
  readonly #ask = (): void => {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#render();
    });
  };
  readonly #hidden = (): void => this.#session.hold(document.hidden);
  #kind: Kind = 'cpu';
  #choice: Choice;
  #textKind: TextKind = 'moby';
  #device: Device | undefined;
  #frame: number | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;
  /** The last sample that was written to its end, for those who want nothing to move. */
  #whole: Sample | undefined;

  constructor(host: HTMLElement, lab: Lab, session: Session) {
    this.#host = host;
    this.#lab = lab;
    this.#session = session;
    this.#textKind = session.current?.state.source.kind ?? 'moby';
    this.#choice = this.#parse(lab.address.params);
    this.#text = new TextPanel({ point: () => this.#ask() });
    this.#heads = new HeadMaps({
      look: () => this.#ask(),
      point: (at) => {
        this.#text.point(at);
        this.#ask();
      },
    });
    this.#session.events = {
      changed: this.#ask,
      refused: (words) => this.#say('refused', `The run could not begin: ${words}.`),
      failed: (words) => this.#failed(words),
      found: (run, words) => this.#say('loaded', `${run.state.loaded ?? ''}: ${words}`, false),
      diverged: (run, step) =>
        this.#say(
          'diverged',
          `Run ${run.letter} diverged: at step ${step} its loss was no longer a finite number.`,
        ),
      saved: (run, file) =>
        download(new Blob([file]), `nonlin-gpt-${run.state.choice.activation}.safetensors`),
      dropped: (run) =>
        this.#say('dropped', `Run ${run.letter} made room: ${MOST_RUNS} runs are kept.`, false),
    };
    document.addEventListener('visibilitychange', this.#hidden);
    this.#wide.addEventListener('change', this.#ask);
    this.#session.hold(document.hidden);
    this.#render();
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    if (device) {
      this.#kind = kindOf(device);
      this.#choice = this.#parse(this.#lab.address.params);
      this.#session.useBackend(device.type).catch((error: unknown) => this.#lab.report(error));
    }
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    this.#choice = this.#parse(params);
    this.#render();
  }

  dispose(): void {
    this.#session.events = undefined;
    // it waits as it is until the view is opened again
    this.#session.pause();
    document.removeEventListener('visibilitychange', this.#hidden);
    this.#wide.removeEventListener('change', this.#ask);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    clearTimeout(this.#settling);
    this.#chart.dispose();
    this.#heads.dispose();
  }

  #parse(params: URLSearchParams): Choice {
    const { choice, text, faults } = parseChoice(params, this.#kind);
    // of an address without a text one's own may be meant, which it cannot hold
    if (text !== undefined) this.#textKind = text;
    this.#prompt();
    if (faults.length > 0) this.#say('query', `The address: ${faults.join('; ')}.`);
    return choice;
  }

  #say(topic: string, words: string, fault = true): void {
    this.#lab.alerts.show({ topic, words, fault });
  }

  #failed(words: string): void {
    const step = this.#session.current?.state.checkpoint?.step;
    const kept = step === undefined ? '' : ` The run was kept as it was at step ${step}.`;
    const label = step === undefined ? 'Start it again' : `Resume from step ${step}`;
    this.#lab.alerts.show({
      topic: 'write',
      words: `Training stopped: ${words.replace(/\.$/, '')}.${kept}`,
      fault: true,
      action: {
        label,
        run: () => void this.#again().catch((error: unknown) => this.#lab.report(error)),
      },
    });
  }

  /** Goes on after an error. The page's own device may be lost with the worker's. */
  async #again(): Promise<void> {
    if (!this.#device) await this.#lab.open();
    this.#session.resume();
  }

  #choose(values: Partial<Choice>): void {
    this.#choice = { ...this.#choice, ...values };
    this.#lab.write('write', formatChoice(this.#choice, this.#textKind, this.#kind));
    this.#render();
  }

  get #fault(): string | undefined {
    if (this.#textKind !== 'own') return undefined;
    return faultOf(this.#session.own, SIZES[this.#choice.size].context);
  }

  get #source(): Source {
    const kind = this.#textKind;
    return kind === 'own'
      ? { kind, text: this.#session.own }
      : { kind, url: new URL(TEXTS[kind].file, document.baseURI).href };
  }

  #train(): void {
    this.#lab.alerts.remove('refused');
    if (this.#fault !== undefined) this.#say('refused', this.#fault);
    else if (this.#device) {
      this.#session.start(this.#choice, this.#source);
    }
  }

  /** What is usually written on from is that of the text, unless the person has set another. */
  #prompt(): void {
    const { sampling } = this.#session;
    const prompt = promptFor(this.#textKind, sampling.prompt);
    if (prompt !== sampling.prompt) this.#session.sample({ ...sampling, prompt });
  }

  async #open(file: File): Promise<void> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    this.#session.open(file.name, bytes, this.#choice, this.#source);
  }

  #sample(values: Partial<Sampling>): void {
    const session = this.#session;
    session.sample({ ...session.sampling, ...values });
    clearTimeout(this.#settling);
    if (session.current && !session.current.active) {
      this.#settling = setTimeout(() => session.write(), SETTLED_MS);
    }
    this.#render();
  }

  /** What is shown of what is written: where nothing is to move, all of it at once. */
  #shownSample(run: Run | undefined): Sample | undefined {
    const sample = run?.sample;
    if (sample?.whole ?? true) this.#whole = sample;
    return this.#still.matches ? this.#whole : sample;
  }

  #render(): void {
    const session = this.#session;
    const { current, pending, runs } = session;
    const sample = this.#shownSample(current);
    const { layers, heads, context } = current?.state.started?.config ?? SIZES[this.#choice.size];
    const title = sample
      ? `run ${current?.letter ?? ''} at step ${sample.step.toLocaleString('en')}`
      : '';
    const lines = current?.state.source.kind === 'names';
    this.#text.show(sample, this.#heads.head, title, lines);
    // a character and all that it sees
    this.#heads.show(sample, { layers, heads, side: context + 1 }, this.#text.at);
    this.#chart.show(runs);
    render(this.#page(current, pending), this.#host);
  }

  #page(current: Run | undefined, pending: Run | undefined): TemplateResult {
    const session = this.#session;
    const choice = this.#choice;
    const phase = pending ? 'starting' : (current?.state.phase ?? 'idle');
    const state = { choice, text: this.#textKind, own: session.own, fault: this.#fault };
    const differs =
      current !== undefined &&
      !(sameChoice(current.state.choice, choice) && sameSource(current.state.source, this.#source));
    return html`<div class="intro">
        <h1>A transformer that learns to write</h1>
        <p class="lead">
          A small GPT reads Moby Dick, a list of names, or your own text, character by character, in
          this tab. Every few seconds it writes, and shows what each of its heads looks at.
        </p>
      </div>
      <div class="train" id="write" data-phase=${phase} data-step=${current?.state.step ?? 0}>
        <section class="settings" aria-labelledby="settings-title">
          <h2 id="settings-title" class="visually-hidden">Settings of the next run</h2>
          <details class="settings-fold" .open=${this.#wide.matches}>
            <summary>
              <strong>Settings</strong> ${choice.size} · ${choice.activation} · ${choice.norm}
            </summary>
            ${settingsForm(state, {
              choose: (values) => this.#choose(values),
              text: (kind) => {
                this.#textKind = kind;
                this.#prompt();
                this.#choose({});
              },
              own: (text) => {
                session.own = text;
                this.#render();
              },
              submit: () => this.#train(),
            })}
          </details>
        </section>
        <section class="run" aria-labelledby="run-title">
          <h2 id="run-title" class="visually-hidden">Run</h2>
          ${toolbar(
            {
              current,
              pending,
              ready: this.#device !== undefined,
              differs,
              more: current ? stepsMore(current) : 0,
            },
            {
              pause: () => session.pause(),
              resume: () => session.resume(),
              more: () => current && session.more(stepsMore(current)),
              save: () => session.save(),
              open: (file) =>
                void this.#open(file).catch((error: unknown) => this.#lab.report(error)),
            },
          )}
          ${current || pending ? progressBar(current, pending, session.device) : nothing}
          ${current ? figures(current) : nothing}
          <div class="desk">
            <div class="writing">
              ${this.#text.element}
              ${samplingControls(session.sampling, (values) => this.#sample(values))}
              <div ?hidden=${!current}>${this.#chart.element}</div>
            </div>
            ${this.#heads.element}
          </div>
          ${runList(session.runs, current, {
            select: (run) => session.select(run),
            remove: (run) => session.remove(run),
          })}
          ${current ? html`<p class="help">${factsOf(current)}</p>` : nothing}
          ${earlierTexts(current)}
        </section>
      </div>`;
  }
}
