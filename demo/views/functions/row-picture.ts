// In: a row-wise activation. Out: bars over logits that can be dragged, with a temperature.
import { html, render, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import { compute, type FunctionOp } from '../../lab/functions.ts';
import { formatValue, type Values } from '../../lab/options.ts';
import type { Picture } from '../../lab/card.ts';

const LOGITS: readonly number[] = [2, 1, 0.2, -0.5, -1.5];
const REACH = 5;

/** A result's bar is in percent of the frame; what is not a share of 1 is scaled by the largest magnitude. */
interface Bar {
  readonly value: number;
  readonly from: number;
  readonly size: number;
}

export class RowPicture implements Picture {
  readonly #op: FunctionOp;
  readonly #host: HTMLElement;
  readonly #changed: () => void;
  #logits = [...LOGITS];
  #temperature = 1;
  #results: number[] = [];

  constructor(host: HTMLElement, op: FunctionOp, changed: () => void) {
    this.#op = op;
    this.#host = host;
    this.#changed = changed;
    host.className = 'picture rows';
    this.#render();
  }

  controls(changed: () => void): TemplateResult {
    const id = `${this.#op.op}-temperature`;
    return html`<div class="options">
      <label class="option" for=${id}>
        <span class="option-name">temperature</span>
        <input
          id=${id}
          type="range"
          min="0.1"
          max="5"
          step="0.1"
          .value=${String(this.#temperature)}
          @input=${(event: Event) => {
            const slider = event.currentTarget as HTMLInputElement;
            this.#temperature = Number(slider.value);
            if (slider.nextElementSibling) slider.nextElementSibling.textContent = slider.value;
            changed();
          }}
        />
        <output for=${id}>${this.#temperature}</output>
      </label>
    </div>`;
  }

  async draw(device: Device, values: Values): Promise<void> {
    const x = Float32Array.from(this.#logits, (logit) => logit / this.#temperature);
    const { y } = await compute((t) => this.#op.call(t, values), x, [1, x.length], device);
    this.#results = [...y];
    Object.assign(this.#host, {
      plotted: { x: [...x], series: [{ label: this.#op.op, y: [...y] }] },
    });
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
          ${this.#logits.map((_, i) => {
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
          ${this.#logits.map(
            (logit, i) =>
              html`<label>
                <input
                  type="range"
                  class="upright"
                  aria-label="Logit ${i + 1}"
                  min=${-REACH}
                  max=${REACH}
                  step="0.1"
                  .value=${String(logit)}
                  @input=${(event: Event) => {
                    const slider = event.currentTarget as HTMLInputElement;
                    this.#logits[i] = Number(slider.value);
                    this.#changed();
                    this.#render();
                  }}
                />
                <span class="amount">${formatValue(logit)}</span>
              </label>`,
          )}
        </div>
        <p class="readout"><span class="key c1 block">${op}</span> over logits: drag them</p>`,
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
