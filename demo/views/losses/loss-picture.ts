// In: a loss with its form. Out: the loss and its gradient over the moving number, and a control for what stays.
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import type { Picture } from '../../lab/card.ts';
import { places } from '../../lab/functions.ts';
import type { Form } from '../../lab/loss-form.ts';
import { lossCurve, type LossOp } from '../../lab/losses.ts';
import type { Values } from '../../lab/options.ts';
import { Plot } from '../../lab/plot.ts';

export const POINTS = 301;

/** Losses rise without end: their foot is what there is to see. */
export const shown = (least: number, most: number): [number, number] => {
  const [low, high] = [Math.max(least, -6), Math.min(most, 8)];
  const margin = (high - low || 1) * 0.06;
  return [low - margin, high + margin];
};

export class LossPicture implements Picture {
  readonly #op: LossOp;
  readonly #form: Form;
  readonly #frame = document.createElement('div');
  readonly #readout = document.createElement('p');
  readonly #plot: Plot;
  #setting: number;

  constructor(host: HTMLElement, op: LossOp, form: Form) {
    this.#op = op;
    this.#form = form;
    this.#setting = form.setting?.value ?? 0;
    host.className = 'picture';
    this.#readout.className = 'readout';
    const axis = document.createElement('p');
    axis.className = 'axis-name';
    axis.textContent = form.axis;
    host.append(this.#frame, axis, this.#readout);
    this.#rest();
    this.#plot = new Plot(this.#frame, {
      yRange: shown,
      readout: (text) => (text === '' ? this.#rest() : (this.#readout.textContent = text)),
    });
  }

  /** The setting that the comparison takes over. */
  get setting(): number {
    return this.#setting;
  }

  controls(changed: () => void): TemplateResult | typeof nothing {
    const { setting } = this.#form;
    if (!setting) return nothing;
    const id = `${this.#op.op}-setting`;
    const set = (value: number) => {
      this.#setting = value;
      changed();
    };
    return html`<div class="options">
      <label class="option" for=${id}>
        <span class="option-name">${setting.label}</span>
        ${
          'choices' in setting
            ? html`<select
                id=${id}
                @change=${(event: Event) =>
                  set(Number((event.currentTarget as HTMLSelectElement).value))}
              >
                ${setting.choices.map((value) => html`<option value=${value}>${value}</option>`)}
              </select>`
            : html`<input
                  id=${id}
                  type="range"
                  min=${setting.min}
                  max=${setting.max}
                  step=${setting.step}
                  .value=${String(this.#setting)}
                  @input=${(event: Event) => {
                    const slider = event.currentTarget as HTMLInputElement;
                    if (slider.nextElementSibling) {
                      slider.nextElementSibling.textContent = slider.value;
                    }
                    set(Number(slider.value));
                  }}
                />
                <output for=${id}>${this.#setting}</output>`
        }
      </label>
    </div>`;
  }

  async draw(device: Device, values: Values): Promise<void> {
    const x = places(...this.#form.range, POINTS);
    const { call, op } = this.#op;
    const curve = await lossCurve(call, this.#form, values, this.#setting, x, device);
    const at = [0.1, 0.5, 0.9].map((share) => {
      const i = Math.round(share * (POINTS - 1));
      const [place, value] = [x[i] ?? NaN, curve.loss[i] ?? NaN];
      return `${value.toPrecision(3)} at ${place.toPrecision(2)}`;
    });
    this.#plot.show(
      {
        x,
        series: [
          {
            label: 'gradient',
            y: curve.gradient,
            colour: '--c2',
            dashed: true,
            width: 1.5,
          },
          { label: 'loss', y: curve.loss, colour: '--c1', width: 2.5 },
        ],
      },
      `${op} and its gradient over the ${this.#form.axis}: loss ${at.join(', ')}`,
    );
  }

  dispose(): void {
    this.#plot.dispose();
  }

  #rest(): void {
    const key = (name: string, words: string) => {
      const element = document.createElement('span');
      element.className = `key ${name}`;
      element.textContent = words;
      return element;
    };
    this.#readout.replaceChildren(key('c1', 'loss'), key('c2 dashed', 'gradient'));
  }
}

/** For a loss that no form fits: the card has its formula and words. */
export class NoPicture implements Picture {
  constructor(host: HTMLElement) {
    host.className = 'picture none';
    host.textContent = 'It takes more than one moving number can show.';
  }

  controls(): typeof nothing {
    return nothing;
  }

  draw(): Promise<void> {
    return Promise.resolve();
  }

  dispose(): void {
    // nothing is held
  }
}
