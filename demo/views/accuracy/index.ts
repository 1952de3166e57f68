// Takes an empty element, the lab, and gives the view of errors: an op over its whole input range, ours beside WGSL's
// built-ins.
import './accuracy.css';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import type { Documented } from '../../../src/define/op.ts';
import { measured } from '../../../test/accuracy/cases.ts';
import { chosen } from '../../lab/chosen.ts';
import { defaultsOf, formatValues, optionsOf, parseValues } from '../../lab/options.ts';
import { optionControls } from '../../lab/option-controls.ts';
import type { Values } from '../../lab/options.ts';
import { Plot } from '../../lab/plot.ts';
import { withProgress } from '../../lab/progress.ts';
import type { Lab, Mount, View } from '../../shell/lab.ts';
import {
  DIRECTIONS,
  inputAt,
  measureElementwise,
  measureRows,
  placeOf,
  type Direction,
  type Errors,
  type Measurement,
} from './measurement.ts';
import { formatUlp, summary } from './summary.ts';

const PER_PLACE = [16, 64, 256, 1024, 8192] as const;
const DEFAULT_PER_PLACE = 64;
const DEFAULT_OP = 'tanh';
/** A logarithmic axis has no 0: what is exact is drawn here. */
const EXACT = 0.01;
/** Where results that are no numbers, or should be none, are drawn. */
const OFF = 3e8;

export const mount: Mount = (host, lab) => new AccuracyView(host, lab);

class AccuracyView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #work = document.createElement('div');
  readonly #frame = document.createElement('div');
  #plot: Plot | undefined;
  #device: Device | undefined;
  #op: Documented;
  #values: Values = {};
  #direction: Direction = 'forward';
  #perPlace: number = DEFAULT_PER_PLACE;
  #measurement: Measurement | undefined;
  #cancelled = false;
  #readout = '';
  #stop: AbortController | undefined;

  constructor(host: HTMLElement, lab: Lab) {
    this.#host = host;
    this.#lab = lab;
    this.#op = opNamed(DEFAULT_OP);
    this.#frame.className = 'accuracy-plot';
    this.#take(lab.address.params);
    this.#render();
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    this.#measure();
  }

  useAddress(params: URLSearchParams): void {
    this.#take(params);
    this.#measure();
  }

  dispose(): void {
    this.#stop?.abort();
    this.#plot?.dispose();
  }

  #take(params: URLSearchParams): void {
    this.#op = opNamed(params.get('op') ?? DEFAULT_OP);
    this.#direction = DIRECTIONS.find((name) => name === params.get('direction')) ?? 'forward';
    this.#perPlace =
      PER_PLACE.find((count) => String(count) === params.get('samples')) ?? DEFAULT_PER_PLACE;
    const options = optionsOf(this.#op);
    const given = parseValues(this.#op.op, options, params.get('options') ?? '');
    this.#values = { ...defaultsOf(options), ...given };
  }

  /** Takes another choice, and measures again. */
  #choose(change: () => void, again = true): void {
    change();
    const options = formatValues(this.#op.op, optionsOf(this.#op), this.#values);
    this.#lab.write('accuracy', {
      op: this.#op.op === DEFAULT_OP ? undefined : this.#op.op,
      direction: this.#direction === 'forward' ? undefined : this.#direction,
      samples: this.#perPlace === DEFAULT_PER_PLACE ? undefined : String(this.#perPlace),
      options: options.length > 0 ? options.join(',') : undefined,
    });
    if (again) this.#measure();
    else this.#show();
  }

  /** Ends a measurement in progress, and starts another. */
  #measure(): void {
    this.#stop?.abort();
    this.#measurement = undefined;
    this.#cancelled = false;
    delete this.#frame.dataset.measured;
    this.#render();
    const device = this.#device;
    if (!device) return;
    const stop = (this.#stop = new AbortController());
    const [op, options] = [this.#op, rounded(this.#values)];
    withProgress(
      this.#work,
      'Measuring',
      (progress) =>
        op.kind === 'rowwise'
          ? measureRows(op, options, device, progress)
          : measureElementwise(op, options, this.#perPlace, device, progress),
      stop.signal,
    )
      .then((measurement) => {
        if (stop.signal.aborted) return;
        this.#measurement = measurement;
        this.#cancelled = measurement === undefined;
        this.#show();
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) this.#lab.report(error);
      });
  }

  #show(): void {
    this.#draw();
    this.#render();
  }

  #draw(): void {
    const measurement = this.#measurement;
    if (!measurement) return;
    const { places, ours, builtin, bound } = measurement;
    const direction = this.#direction;
    const rows = this.#op.kind === 'rowwise';
    this.#plot?.dispose();
    this.#frame.replaceChildren();
    this.#plot = new Plot(this.#frame, {
      logarithmic: true,
      yTick: (value) => (value === EXACT ? 'exact' : value >= OFF ? '' : formatUlp(value)),
      xTick: (place) => (rows ? String(Math.round(2 ** place)) : formatInput(inputAt(place))),
      ...(rows ? {} : { xTicks: INPUT_TICKS }),
      xLabel: rows ? 'length of the row' : 'x',
      readout: (text) => {
        this.#readout = text;
        this.#render();
      },
    });
    const finite = ({ ulp }: Errors) =>
      ulp.map((value) => (value === Infinity ? null : Math.max(value, EXACT)));
    const off = ({ ulp }: Errors) => ulp.map((value) => (value === Infinity ? OFF : null));
    const [own, other] = [ours[direction], builtin?.[direction]];
    this.#plot.show(
      {
        x: places,
        series: [
          {
            label: 'bound',
            colour: '--muted',
            dashed: true,
            width: 1,
            y: places.map((place) => bound(direction, place)),
          },
          ...(other
            ? [
                { label: 'built-ins', colour: '--c2', y: finite(other), width: 1.5 },
                { label: 'wrong NaN or ∞', colour: '--bad', y: off(other), points: true },
              ]
            : []),
          { label: 'nonlin', colour: '--c1', y: finite(own), width: 2 },
        ],
      },
      `Largest error of ${this.#op.op} over its inputs: nonlin ${formatUlp(own.worst)} ULP` +
        (other ? `, WGSL built-ins ${formatUlp(other.worst)} ULP` : ''),
    );
    this.#frame.dataset.measured = `${this.#op.op} ${direction} ${this.#device?.type ?? ''}`;
  }

  #render(): void {
    const options = optionsOf(this.#op);
    const set = (name: string, value: Values[string]) =>
      this.#choose(() => (this.#values = { ...this.#values, [name]: value }));
    render(
      html`<div class="intro">
          <h1>Accuracy</h1>
          <p class="lead">
            How far results are from the true value, in units in the last place (ULP), for every
            power of two in float32. It is measured on your device, for nonlin and for WGSL’s
            built-in functions.
          </p>
        </div>
        <div class="accuracy">
          <section class="choices" aria-label="What to measure">
            ${this.#select()}
            ${options.length > 0 ? optionControls('accuracy', options, this.#values, set) : nothing}
            <button type="button" id="again" @click=${() => this.#measure()}>Measure again</button>
            ${this.#work}
          </section>
          <section class="result" aria-label="Result">
            <p class="readout">
              <span class="key c1">nonlin</span>
              <span class="key c2">WGSL built-ins</span>
              <span class="key dashed" style="--key: var(--muted)">stated bound</span>
              <span class="key dot" style="--key: var(--bad)">wrongly NaN or ∞</span>
            </p>
            ${this.#frame}
            <p class="readout">${this.#readout}</p>
            ${
              this.#measurement
                ? summary(this.#measurement, {
                    op: this.#op,
                    values: this.#values,
                    direction: this.#direction,
                    cpu: this.#device?.type === 'cpu',
                  })
                : html`<p class="help" role="status">
                    ${this.#cancelled ? 'Cancelled. “Measure again” starts over.' : 'Measuring…'}
                  </p>`
            }
          </section>
        </div>`,
      this.#host,
    );
  }

  #select(): TemplateResult {
    const value = (event: Event) => (event.currentTarget as HTMLSelectElement).value;
    return html`<div class="field">
        <label for="accuracy-op">Op</label>
        <select
          id="accuracy-op"
          @change=${(event: Event) =>
            this.#choose(() => {
              this.#op = opNamed(value(event));
              this.#values = defaultsOf(optionsOf(this.#op));
            })}
        >
          ${measured.map(({ op }) => html`<option value=${op}>${op}</option>`)}
          ${chosen(this.#op.op)}
        </select>
      </div>
      <div class="field">
        <label for="accuracy-direction">Direction</label>
        <select
          id="accuracy-direction"
          @change=${(event: Event) =>
            this.#choose(() => {
              this.#direction = value(event) === 'backward' ? 'backward' : 'forward';
            }, false)}
        >
          ${DIRECTIONS.map(
            (name) =>
              html`<option value=${name}>${name === 'forward' ? 'Function' : 'Gradient'}</option>`,
          )}
          ${chosen(this.#direction)}
        </select>
      </div>
      <div class="field">
        <label for="accuracy-samples">Inputs per power of two</label>
        <select
          id="accuracy-samples"
          @change=${(event: Event) => this.#choose(() => (this.#perPlace = Number(value(event))))}
        >
          ${PER_PLACE.map((count) => html`<option value=${count}>${count}</option>`)}
          ${chosen(String(this.#perPlace))}
        </select>
      </div>`;
  }
}

function opNamed(name: string): Documented {
  const op = measured.find((one) => one.op === name) ?? measured[0];
  if (!op) throw new Error('an empty catalog');
  return op;
}

/** As the GPU gets them, so that errors are the op's own. */
function rounded(values: Values): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.fround(value) : String(value),
    ]),
  );
}

const POWERS = [-30, -20, -10, 0, 10, 20, 30] as const;
/** Powers of ten, as places. */
const INPUT_TICKS = [-1, 1].flatMap((sign) =>
  POWERS.map((power) => placeOf(sign, Math.log2(10 ** power))),
);

function formatInput(value: number): string {
  const power = Math.round(Math.log10(Math.abs(value)));
  return `${value < 0 ? '-' : ''}${power === 0 ? '1' : `1e${power}`}`;
}
