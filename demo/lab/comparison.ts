// Takes up to four functions, and gives their curves in one plot, their slopes in another, and a list to remove them from.
import { html, nothing, render } from 'lit-html';
import type { Device } from 'nonlin';
import { Latest } from './latest.ts';
import { Plot, SERIES, type PlotOptions } from './plot.ts';

export const MOST = SERIES.length;

export interface Compared {
  readonly name: string;
  /** What sets it apart from its defaults; may be empty. */
  readonly note: string;
  readonly curve: (device: Device) => Promise<CurveAndSlope>;
}

export interface CurveAndSlope {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly slope: Float32Array;
}

export interface ComparisonOptions {
  readonly title: string;
  /** Of the two plots. */
  readonly captions: readonly [string, string];
  readonly plot: PlotOptions;
  /** Left out where what is compared is fixed. */
  readonly remove?: (name: string) => void;
  readonly failed: (error: unknown) => void;
}

export class Comparison {
  readonly #host: HTMLElement;
  readonly #options: ComparisonOptions;
  readonly #frames = [document.createElement('div'), document.createElement('div')] as const;
  readonly #plots: readonly [Plot, Plot];
  readonly #drawing: Latest;
  #compared: readonly Compared[] = [];
  #axis: string | undefined;
  #device: Device | undefined;
  readonly #readings: [string, string] = ['', ''];

  constructor(host: HTMLElement, options: ComparisonOptions) {
    this.#host = host;
    this.#options = options;
    const plot = (which: 0 | 1) =>
      new Plot(this.#frames[which], {
        ...options.plot,
        readout: (text) => {
          this.#readings[which] = text;
          this.#render();
        },
      });
    this.#plots = [plot(0), plot(1)];
    this.#drawing = new Latest(() => this.#draw(), options.failed);
    this.#render();
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    this.#drawing.ask();
  }

  /** `axis` is what runs along x, for people. */
  show(compared: readonly Compared[], axis?: string): void {
    this.#compared = compared;
    this.#axis = axis;
    this.#render();
    this.#drawing.ask();
  }

  dispose(): void {
    for (const plot of this.#plots) plot.dispose();
  }

  async #draw(): Promise<void> {
    const device = this.#device;
    if (!device) return;
    const compared = this.#compared;
    try {
      const curves = await Promise.all(compared.map(({ curve }) => curve(device)));
      const list = compared.map(({ name }) => name).join(', ') || 'nothing';
      const x = curves[0]?.x ?? new Float32Array();
      this.#plots.forEach((plot, which) => {
        const series = curves.map((curve, i) => ({
          label: compared[i]?.name ?? '',
          y: which === 0 ? curve.y : curve.slope,
          colour: SERIES[i] ?? SERIES[0],
          width: 2.5,
        }));
        plot.show({ x, series }, `${this.#options.captions[which] ?? ''} of ${list}`);
      });
      this.#host.dataset.drawn = list;
    } catch (error) {
      // of a device that is gone: the next one draws
      if (device === this.#device) throw error;
    }
  }

  #render(): void {
    const { title, captions, remove } = this.#options;
    const chip = ({ name, note }: Compared, i: number) =>
      html`<li class="chip c${i + 1} ${remove ? '' : 'fixed'}">
        <span>${name}${note === '' ? nothing : html` <small>${note}</small>`}</span>
        ${
          remove
            ? html`<button
                type="button"
                aria-label="Remove ${name} from the comparison"
                @click=${() => remove(name)}
              >
                ×
              </button>`
            : nothing
        }
      </li>`;
    render(
      html`<div class="section-head">
          <h2>${title}</h2>
          <ul class="chips" aria-label="Compared">
            ${this.#compared.map(chip)}
          </ul>
        </div>
        <div class="pair">
          ${captions.map(
            (caption, which) =>
              html`<figure>
                <figcaption>
                  ${caption} <span class="readout">${this.#readings[which]}</span>
                </figcaption>
                ${this.#frames[which]}
                ${this.#axis === undefined ? nothing : html`<p class="axis-name">${this.#axis}</p>`}
              </figure>`,
          )}
        </div>`,
      this.#host,
    );
  }
}
