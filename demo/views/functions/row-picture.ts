// Takes a row-wise activation, and gives bars over logits that can be dragged, with a temperature.
import { html, render } from 'lit-html';
import type { Device } from 'nonlin';
import type { Picture } from '../../lab/card.ts';
import { compute } from '../../lab/curve.ts';
import { type FunctionOp } from '../../lab/functions.ts';
import {
  defaultsOf,
  formatValue,
  valuesOf,
  type Option,
  type Value,
  type Values,
} from '../../lab/options.ts';

const REACH = 5;
const LOGITS: readonly Option[] = [2, 1, 0.2, -0.5, -1.5].map((value, i) => ({
  name: `logit${i + 1}`,
  value,
  min: -REACH,
  max: REACH,
  step: 0.1,
  hidden: true,
}));

/** What is set of the picture besides the op's own options. */
export const ROW_OPTIONS: readonly Option[] = [
  ...LOGITS,
  { name: 'temperature', value: 1, min: 0.1, max: 5, step: 0.1 },
];

/** A result's bar is in percent of the frame; what is not a share of 1 is scaled by the largest magnitude. */
interface Bar {
  readonly value: number;
  readonly from: number;
  readonly size: number;
}

export class RowPicture implements Picture {
  readonly #op: FunctionOp;
  readonly #host: HTMLElement;
  readonly #set: (name: string, value: Value) => void;
  #values: Values = defaultsOf(ROW_OPTIONS);
  #results: number[] = [];

  constructor(host: HTMLElement, op: FunctionOp, set: (name: string, value: Value) => void) {
    this.#op = op;
    this.#host = host;
    this.#set = set;
    host.className = 'picture rows';
  }

  take(values: Values): void {
    this.#values = values;
    this.#render();
  }

  async draw(device: Device, values: Values): Promise<void> {
    const { op, options, call } = this.#op;
    const x = Float32Array.from(
      LOGITS,
      ({ name }) => Number(values[name]) / Number(values.temperature),
    );
    const own = valuesOf(options, values);
    const { y } = await compute((t) => call(t, own), x, [1, x.length], device);
    this.#results = [...y];
    Object.assign(this.#host, { plotted: { x: [...x], series: [{ label: op, y: [...y] }] } });
    this.#render();
  }

  dispose(): void {
    this.#results = [];
  }

  #render(): void {
    const bars = barsOf(this.#results);
    const { op } = this.#op;
    render(
      html`<ol class="row-bars" aria-label="Results of ${op}">
          ${LOGITS.map((_, i) => {
            const bar = bars[i];
            return html`<li>
              <span class="track"
                ><span
                  class="bar"
                  style="bottom: ${bar?.from ?? 0}%; height: ${bar?.size ?? 0}%"
                ></span
              ></span>
              <span class="amount">${bar ? formatValue(Number(bar.value.toFixed(3))) : '–'}</span>
            </li>`;
          })}
        </ol>
        <div class="row-logits" role="group" aria-label="Logits">
          ${LOGITS.map(({ name }, i) => {
            const logit = Number(this.#values[name]);
            return html`<label>
              <input
                type="range"
                class="upright"
                aria-label="Logit ${i + 1}"
                min=${-REACH}
                max=${REACH}
                step="0.1"
                .value=${logit}
                @input=${(event: Event) =>
                  this.#set(name, Number((event.currentTarget as HTMLInputElement).value))}
              />
              <span class="amount">${formatValue(logit)}</span>
            </label>`;
          })}
        </div>
        <p class="readout">
          <span class="key c1 block">${op}</span> of these logits, which you can drag
        </p>`,
      this.#host,
    );
  }
}

function barsOf(results: readonly number[]): Bar[] {
  const finite = results.map((value) => (Number.isFinite(value) ? value : 0));
  const least = Math.min(0, ...finite);
  const most = Math.max(least < 0 ? 0 : 1, ...finite);
  const span = most - least || 1;
  return results.map((value, i) => {
    const shown = finite[i] ?? 0;
    return {
      value,
      from: (100 * (Math.min(0, shown) - least)) / span,
      size: (100 * Math.abs(shown)) / span,
    };
  });
}
