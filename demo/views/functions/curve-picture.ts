// In: an elementwise or gated activation. Out: f and f′ over x in a plot.
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import { compute, places, type FunctionOp } from '../../lab/functions.ts';
import type { Values } from '../../lab/options.ts';
import { Plot } from '../../lab/plot.ts';
import type { Picture } from '../../lab/card.ts';

export const REACH = 5;
export const POINTS = 401;

/** Steep functions leave the frame rather than flatten the rest. */
export const clipped = (least: number, most: number): [number, number] => {
  const [low, high] = [Math.max(least, -REACH), Math.min(most, REACH)];
  const margin = (high - low || 1) * 0.06;
  return [low - margin, high + margin];
};

type Half = 'first' | 'second';

export class CurvePicture implements Picture {
  readonly #op: FunctionOp;
  readonly #frame = document.createElement('div');
  readonly #readout = document.createElement('p');
  readonly #plot: Plot;
  /** Of a gated unit: the half of the input that runs along x, and what the other half is. */
  #half: Half = 'second';
  #other = 1;

  constructor(host: HTMLElement, op: FunctionOp) {
    this.#op = op;
    host.className = 'picture';
    this.#readout.className = 'readout';
    host.append(this.#frame, this.#readout);
    this.#rest();
    this.#plot = new Plot(this.#frame, {
      yRange: clipped,
      readout: (text) => (text === '' ? this.#rest() : (this.#readout.textContent = text)),
    });
  }

  controls(changed: () => void): TemplateResult | typeof nothing {
    if (this.#op.group !== 'Gated') return nothing;
    const id = `${this.#op.op}-half`;
    return html`<div class="options">
      <label class="option" for=${id}>
        <span class="option-name">x is the</span>
        <select
          id=${id}
          @change=${(event: Event) => {
            this.#half =
              (event.currentTarget as HTMLSelectElement).value === 'first' ? 'first' : 'second';
            changed();
          }}
        >
          <option value="second">second half</option>
          <option value="first">first half</option>
        </select>
      </label>
      <label class="option" for="${id}-other">
        <span class="option-name">other half</span>
        <input
          id="${id}-other"
          type="range"
          min="-3"
          max="3"
          step="0.1"
          .value=${String(this.#other)}
          @input=${(event: Event) => {
            const slider = event.currentTarget as HTMLInputElement;
            this.#other = Number(slider.value);
            if (slider.nextElementSibling) slider.nextElementSibling.textContent = slider.value;
            changed();
          }}
        />
        <output for="${id}-other">${this.#other}</output>
      </label>
    </div>`;
  }

  async draw(device: Device, values: Values): Promise<void> {
    const x = places(-REACH, REACH, POINTS);
    const { y, slope } = await curveOf(this.#op, values, x, device, this.#half, this.#other);
    const at = (value: number) => Number((y[Math.round(value)] ?? NaN).toPrecision(3));
    const middle = (POINTS - 1) / 2;
    const unit = middle / REACH;
    this.#plot.show(
      {
        x,
        series: [
          { label: 'f′', y: slope, colour: '--c2', dashed: true, width: 1.5 },
          { label: 'f', y, colour: '--c1', width: 2.5 },
        ],
      },
      `${this.#op.op} and its derivative from -${REACH} to ${REACH}: ` +
        [-2, -1, 0, 1, 2].map((v) => `f(${v}) = ${at(middle + v * unit)}`).join(', '),
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
    this.#readout.replaceChildren(key('c1', 'f(x)'), key('c2 dashed', 'f′(x)'));
  }
}

/** f and f′ at `x`. Of a gated unit: over one half of its input, the other half being a constant. */
export async function curveOf(
  { group, call }: FunctionOp,
  values: Values,
  x: Float32Array,
  device: Device,
  half: Half = 'second',
  other = 1,
) {
  if (group !== 'Gated') return compute((t) => call(t, values), x, [x.length], device);
  const pairs = new Float32Array(2 * x.length).fill(other);
  const offset = half === 'first' ? 0 : 1;
  x.forEach((value, i) => (pairs[2 * i + offset] = value));
  const { y, slope } = await compute((t) => call(t, values), pairs, [x.length, 2], device);
  return { y, slope: slope.filter((_, i) => i % 2 === offset) };
}
