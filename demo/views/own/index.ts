// Takes an empty element, the lab, and gives the view in which one writes an activation or a loss, and sees what it does.
import './own.css';
import { render } from 'lit-html';
import type { Device } from 'nonlin';
import { formatValues, optionsOf, parseValues } from '../../lab/options.ts';
import type { Value, Values } from '../../lab/options.ts';
import type { Lab, Mount, Recovery, View } from '../../shell/lab.ts';
import { FOREIGN, HUNG, LONG, LOST, WITHOUT } from './bar.ts';
import { Editors } from './editors.ts';
import { BrokenLink, codeOf, isName, linkParams, NO_CODE } from './link.ts';
import { Match } from './match.ts';
import type { Declared, OwnCode, Problem } from './protocol.ts';
import { ownPage, TARGET, type State } from './page.ts';
import { CurvePlot, type Checked } from './results.ts';
import { Running, type AboutCode } from './running.ts';
import { FIRST, startOf, STARTS } from './starts.ts';
import { isTrusted, trust } from './trust.ts';

/** Typing that stops for so long is looked at. */
const PAUSE_MS = 300;

export const mount: Mount = (host, lab) => new OwnView(host, lab);

class OwnView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #editors: Editors;
  readonly #plot = new CurvePlot();
  readonly #match: Match;
  readonly #running: Running;
  #code: OwnCode = FIRST;
  #values: Values = {};
  #target = 0;
  /** Nothing runs before the address has been read. */
  #state: State = 'asking';
  /** What is said beside the problems in the code. */
  #notice = '';
  #declared: Declared | undefined;
  #checked: Checked | undefined;
  #problems: readonly Problem[] = [];
  /** What the address's `set` says, until the options are known. */
  #wanted = '';
  #typing: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  constructor(host: HTMLElement, lab: Lab) {
    this.#host = host;
    this.#lab = lab;
    this.#editors = new Editors(() => this.#typed());
    this.#running = new Running({
      heard: (message) => this.#hear(message),
      without: () => this.#lab.alerts.show({ topic: 'query', words: WITHOUT, fault: false }),
      long: () => {
        this.#notice = LONG;
        // after a reload it must not run by itself
        trust('');
        this.#render();
      },
      hung: () => this.#fault(HUNG),
      lost: (ran) => {
        this.#match.stopped();
        if (ran) this.#hold();
        this.#render();
      },
      failed: (error) => {
        this.#lab.report(error);
        this.#fault('');
      },
    });
    this.#match = new Match({
      train: (task) => this.#running.train(this.#code, this.#values, task),
      stop: () => this.#running.stop(),
    });
    this.#take(lab.address.params);
    this.#render();
  }

  useDevice(device: Device | undefined): void {
    this.#match.stopped();
    this.#running.use(device?.type);
    if (device) this.#check();
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    this.#take(params);
  }

  recovery(): Recovery | undefined {
    // the worker may have told of it before
    const lost = this.#state === 'asking' && this.#notice === LOST;
    if (!lost && !this.#running.busy) return undefined;
    this.#hold();
    return {
      words: 'If the WGSL has a loop that never ends, change it first.',
      label: 'Open it again',
      run: () => undefined,
    };
  }

  dispose(): void {
    this.#turn++;
    clearTimeout(this.#typing);
    this.#running.end();
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
    this.#running.forget();
    this.#match.stopped();
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
    this.#running.stop();
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
    if (this.#state === 'asking' || !this.#running.ready) return;
    this.#state = 'checking';
    this.#notice = '';
    this.#problems = [];
    this.#running.check(this.#code, this.#values, this.#target);
  }

  #hear(message: AboutCode): void {
    switch (message.type) {
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
    else this.#running.settle();
    this.#notice = '';
    this.#editors.mark(this.#problems);
    this.#state = this.#problems.length > 0 ? 'fault' : 'done';
    if (this.#state === 'fault') this.#checked = undefined;
  }

  #fault(words: string): void {
    this.#running.settle();
    this.#state = 'fault';
    this.#notice = words;
    this.#checked = undefined;
    this.#match.stopped();
    this.#render();
  }

  /** What was there when a GPU was lost may be the reason: it does not run until the person says so. */
  #hold(): void {
    this.#running.settle();
    this.#state = 'asking';
    this.#notice = LOST;
    this.#checked = undefined;
    trust('');
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
    this.#lab.write('own', { ...NO_CODE, start: start === FIRST ? undefined : start.name });
    this.#show(start, undefined);
  }

  #render(): void {
    const state = this.#state;
    const ready = state === 'done';
    this.#match.allow(ready, state === 'fault' ? 'The code has to run first.' : '');
    render(
      ownPage(
        {
          ...{ state, code: this.#code, notice: this.#notice, checked: this.#checked },
          ...{ declared: this.#declared, values: this.#values, target: this.#target },
          ...{ editors: this.#editors.element, plot: this.#plot.element },
          match: this.#match.element,
        },
        {
          start: (name) => this.#start(name),
          rename: (input) => this.#rename(input),
          run: () => this.#run(),
          set: (name, value) => this.#set(name, value),
        },
      ),
      this.#host,
    );
  }

  #rename(input: HTMLInputElement): void {
    const name = input.value.trim();
    input.setCustomValidity(isName(name) ? '' : 'A letter first, then letters and digits.');
    if (input.reportValidity()) this.#changed({ ...this.#code, name });
  }
}
