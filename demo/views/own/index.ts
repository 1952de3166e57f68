// Takes an empty element, the lab, and gives the view in which one writes an activation or a loss, and sees what it does.
import './own.css';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import { optionControls } from '../../lab/option-controls.ts';
import { formatValues, numberOption, optionsOf, parseValues } from '../../lab/options.ts';
import type { Value, Values } from '../../lab/options.ts';
import type { Lab, Mount, Recovery, View } from '../../shell/lab.ts';
import { placesOf } from '../train/panels/boundary.ts';
import { bar, FOREIGN, HUNG, LONG, LOST, notice } from './bar.ts';
import { Editors } from './editors.ts';
import { BrokenLink, codeOf, isName, linkParams } from './link.ts';
import { Match } from './match.ts';
import type { Declared, FromWorker, OwnCode, Problem, TrainingTask } from './protocol.ts';
import { CurvePlot, errorTable, verdicts, type Checked } from './results.ts';
import { FIRST, startOf, STARTS } from './starts.ts';
import { isTrusted, trust } from './trust.ts';
import { Workshop } from './workshop.ts';

/** Typing that stops for so long is looked at. */
const PAUSE_MS = 300;
/** A check takes longer: probably the WGSL does not come to an end. */
const LONG_MS = 10_000;
const GRID = 40;
const TARGET = numberOption('target', 0, { min: -3, max: 3 });

/** `asking`: the code came with a link, and nobody has said that it is to run. */
type State = 'asking' | 'checking' | 'done' | 'fault';

export const mount: Mount = (host, lab) => new OwnView(host, lab);

class OwnView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #editors: Editors;
  readonly #plot = new CurvePlot();
  readonly #match: Match;
  #workshop: Workshop | undefined;
  #device: Device | undefined;
  #code: OwnCode = FIRST;
  #values: Values = {};
  #target = 0;
  /** Nothing runs before the address has been read. */
  #state: State = 'asking';
  /** Of the latest check; what is said of others is of other code. */
  #id = 0;
  /** What is said beside the problems in the code. */
  #notice = '';
  #declared: Declared | undefined;
  #checked: Checked | undefined;
  #problems: readonly Problem[] = [];
  /** What the address's `set` says, until the options are known. */
  #wanted = '';
  #typing: ReturnType<typeof setTimeout> | undefined;
  #long: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  constructor(host: HTMLElement, lab: Lab) {
    this.#host = host;
    this.#lab = lab;
    this.#editors = new Editors(() => this.#typed());
    this.#match = new Match({
      train: (task) => this.#train(task),
      stop: () => this.#workshop?.stop(),
    });
    this.#take(lab.address.params);
    this.#render();
  }

  useDevice(device: Device | undefined): void {
    this.#workshop?.end();
    this.#workshop = undefined;
    this.#match.stopped();
    this.#device = device;
    if (device) {
      this.#workshop = new Workshop(device.type, {
        heard: (message) => this.#hear(message),
        hung: () => this.#fault(HUNG),
        failed: (error) => {
          this.#lab.report(error);
          this.#fault('');
        },
      });
      this.#check();
    }
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    this.#take(params);
  }

  recovery(): Recovery | undefined {
    if (this.#state !== 'checking') return undefined;
    // it must not run again by itself
    this.#state = 'asking';
    this.#notice = LOST;
    trust('');
    return {
      words: 'If the WGSL has a loop that never ends, change it first.',
      label: 'Open it again',
      run: () => undefined,
    };
  }

  dispose(): void {
    this.#turn++;
    clearTimeout(this.#typing);
    clearTimeout(this.#long);
    this.#workshop?.end();
    this.#editors.dispose();
    this.#plot.dispose();
    this.#match.dispose();
  }

  /** Shows the code that an address holds. */
  #take(params: URLSearchParams): void {
    const turn = ++this.#turn;
    clearTimeout(this.#typing);
    codeOf(params)
      .then((code) => {
        if (turn !== this.#turn) return;
        this.#wanted = params.get('set') ?? '';
        const known = startOf(code) !== undefined || isTrusted(params.get('code') ?? '');
        this.#show(code, known ? undefined : FOREIGN);
      })
      .catch((error: unknown) => {
        if (turn !== this.#turn) return;
        if (!(error instanceof BrokenLink)) throw error;
        const words = `${error.message} Here is ${FIRST.name} instead.`;
        this.#lab.alerts.show({ topic: 'query', words, fault: true });
        this.#wanted = '';
        this.#show(FIRST, undefined);
      });
  }

  /** Other code; with words where it is not to run by itself. */
  #show(code: OwnCode, asking: string | undefined): void {
    this.#workshop?.stop();
    this.#match.stopped();
    this.#id++;
    this.#code = code;
    this.#values = {};
    this.#target = 0;
    this.#declared = undefined;
    this.#checked = undefined;
    this.#editors.put(code);
    this.#state = asking === undefined ? 'checking' : 'asking';
    this.#notice = asking ?? '';
    if (asking === undefined) this.#check();
    this.#render();
  }

  #typed(): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(
      () => this.#changed({ ...this.#code, ...this.#editors.text }),
      PAUSE_MS,
    );
  }

  /** The person has changed the code: it is theirs from now on, unless they have not yet let it run. */
  #changed(code: OwnCode): void {
    this.#code = code;
    const turn = ++this.#turn;
    linkParams(code)
      .then((params) => {
        if (turn !== this.#turn) return;
        if (this.#state !== 'asking') trust(params.code ?? '');
        this.#lab.write('own', params);
      })
      .catch((error: unknown) => this.#lab.report(error));
    this.#again();
  }

  /** Code or options are others. */
  #again(): void {
    this.#workshop?.stop();
    this.#match.stopped();
    if (this.#state !== 'asking') this.#check();
    this.#render();
  }

  #run(): void {
    trust(this.#lab.address.params.get('code') ?? '');
    this.#state = 'checking';
    this.#check();
    this.#render();
  }

  #check(): void {
    if (this.#state === 'asking' || !this.#workshop) return;
    // a GPU that does not answer keeps its worker waiting for good
    if (this.#notice === LONG) this.#workshop.end();
    this.#state = 'checking';
    this.#notice = '';
    this.#problems = [];
    const job = { id: ++this.#id, code: this.#code, values: this.#values };
    this.#workshop.check({ ...job, type: 'check', target: this.#target });
    clearTimeout(this.#long);
    this.#long = setTimeout(() => {
      this.#notice = LONG;
      // after a reload it must not run by itself
      trust('');
      this.#render();
    }, LONG_MS);
  }

  #train(task: TrainingTask): void {
    this.#workshop?.train({
      type: 'train',
      id: this.#id,
      code: this.#code,
      values: this.#values,
      task,
      ...(task === 'spirals' ? { places: placesOf(GRID) } : {}),
      digits: new URL('mnist.bin.gz', document.baseURI).href,
    });
  }

  #hear(message: FromWorker): void {
    if ('id' in message && message.id !== this.#id) return;
    switch (message.type) {
      case 'ready':
        if (!message.gpu && this.#device?.type === 'webgpu') {
          const words = 'This browser has no WebGPU in workers: your code runs on the CPU.';
          this.#lab.alerts.show({ topic: 'query', words, fault: false });
        }
        return;
      case 'pong':
        return;
      case 'failed':
        this.#lab.report(new Error(message.words));
        return;
      case 'lost':
        this.#workshop?.end();
        this.#fault(LOST);
        return;
      case 'declared':
        this.#declare(message.declared);
        break;
      case 'curves':
        this.#plot.show(this.#code, message.curves);
        break;
      case 'checked':
        this.#checked = message;
        break;
      case 'problems':
        this.#problems = message.problems;
        break;
      case 'moved':
        this.#match.moved(message.standings, message.step, message.steps);
        return;
      case 'over':
        this.#settle(message.job);
        break;
    }
    this.#render();
  }

  /** The options are known. */
  #declare(declared: Declared): void {
    this.#declared = declared;
    if (this.#wanted === '') return;
    const wanted = parseValues('own', optionsOf(declared), this.#wanted);
    this.#wanted = '';
    if (Object.keys(wanted).length === 0) return;
    this.#values = wanted;
    this.#check();
  }

  #settle(job: 'check' | 'train'): void {
    if (job === 'train') this.#match.over();
    else clearTimeout(this.#long);
    this.#notice = '';
    this.#editors.mark(this.#problems);
    this.#state = this.#problems.length > 0 ? 'fault' : 'done';
    if (this.#state === 'fault') this.#checked = undefined;
  }

  #fault(words: string): void {
    clearTimeout(this.#long);
    this.#state = 'fault';
    this.#notice = words;
    this.#checked = undefined;
    this.#match.stopped();
    this.#render();
  }

  #set(name: string, value: Value): void {
    if (name === TARGET.name) this.#target = Number(value);
    else {
      this.#values = { ...this.#values, [name]: value };
      const options = this.#declared ? optionsOf(this.#declared) : [];
      const set = formatValues('own', options, this.#values).join(',');
      this.#lab.write('own', { set: set === '' ? undefined : set });
    }
    this.#again();
  }

  #start(name: string): void {
    const start = STARTS.find((one) => one.name === name);
    if (!start) return;
    this.#turn++;
    clearTimeout(this.#typing);
    this.#lab.write('own', { ...NOTHING, start: start === FIRST ? undefined : start.name });
    this.#show(start, undefined);
  }

  #render(): void {
    const state = this.#state;
    const ready = state === 'done';
    this.#match.allow(ready, state === 'fault' ? 'The code has to run first.' : '');
    render(
      html`<div class="intro">
          <h1>Write your own activation or loss</h1>
          <p class="lead">
            Its WGSL for the GPU, and the same in JavaScript, which says what is right. The curve,
            the gradient’s check and the error follow as you type.
            <span class="visually-hidden">Tab leaves the editors.</span>
          </p>
        </div>
        <div id="own" data-state=${state} data-kind=${this.#code.kind}>
          ${bar(this.#code, {
            start: (name) => this.#start(name),
            rename: (input) => this.#rename(input),
          })}
          ${notice(this.#notice, this.#state === 'asking' ? () => this.#run() : undefined)}
          <div class="own-work">
            <div class="own-code">
              ${this.#editors.element}
              ${this.#checked?.sweep ? errorTable(this.#checked.sweep) : nothing}
            </div>
            <section class="own-results" aria-label="What it does">
              ${this.#plot.element} ${this.#controls()}
              ${this.#checked ? verdicts(this.#code.kind, this.#checked) : nothing}
            </section>
          </div>
          ${this.#match.element}
        </div>`,
      this.#host,
    );
  }

  #rename(input: HTMLInputElement): void {
    const name = input.value.trim();
    input.setCustomValidity(isName(name) ? '' : 'A letter first, then letters and digits.');
    if (input.reportValidity()) this.#changed({ ...this.#code, name });
  }

  #controls(): TemplateResult | typeof nothing {
    if (!this.#declared) return nothing;
    const loss = this.#code.kind === 'loss';
    const options = [...(loss ? [TARGET] : []), ...optionsOf(this.#declared)];
    if (options.length === 0) return nothing;
    const values = { ...this.#values, [TARGET.name]: this.#target };
    return optionControls('own', options, values, (name, value) => this.#set(name, value));
  }
}

const NOTHING = {
  start: undefined,
  kind: undefined,
  name: undefined,
  code: undefined,
  set: undefined,
};
