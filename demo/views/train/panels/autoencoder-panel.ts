// Takes autoencoders of digits, and gives held-out digits, and below each what every network makes of it.
import { html, render } from 'lit-html';
import { PIXELS, SIDE, toFloats, type Digits } from '../../../training/digits.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { runName } from '../form.ts';
import { PicturePanel, type PanelEvents } from './panel.ts';
import { pictureOf } from './picture.ts';

const SHOWN = 10;

export class AutoencoderPanel extends PicturePanel {
  readonly #pixels: Float32Array;
  readonly #labels: readonly number[];
  #rows: Float32Array[] = [];

  constructor(heldOut: Digits, events: PanelEvents) {
    super(events);
    // the first of each digit
    const indices = Array.from({ length: SHOWN }, (_, digit) => heldOut.labels.indexOf(digit));
    this.#labels = indices.map((index) => heldOut.labels[index] ?? 0);
    this.#pixels = new Float32Array(SHOWN * PIXELS);
    indices.forEach((index, i) => {
      const own = heldOut.pixels.subarray(index * PIXELS, (index + 1) * PIXELS);
      this.#pixels.set(toFloats(own), i * PIXELS);
    });
    this.element.className = 'reconstructions';
    this.render();
  }

  protected override forget(): void {
    this.#rows = [];
  }

  protected override async ask(trainers: readonly Trainer[]): Promise<void> {
    const rows: Float32Array[] = [];
    for (const trainer of trainers) rows.push(await trainer.predict(this.#pixels));
    if (trainers !== this.trainers) return;
    this.#rows = rows;
    this.render();
    Object.assign(this.element, {
      plotted: { x: [...this.#pixels], series: rows.map((y, i) => ({ label: runName(i), y })) },
    });
  }

  protected override render(): void {
    const gallery = (title: string, pixels: Float32Array, words: string) =>
      html`<figure>
        <figcaption>${title}</figcaption>
        <ul>
          ${this.#labels.map(
            (label, i) =>
              html`<li>
                <img
                  src=${pictureOf((pixel) => pixels[i * PIXELS + pixel] ?? 0)}
                  width=${2 * SIDE}
                  height=${2 * SIDE}
                  alt="${words} ${label}"
                />
              </li>`,
          )}
        </ul>
      </figure>`;
    render(
      html`<h2>Reconstructed from 16 numbers</h2>
        ${gallery('Held-out digits', this.#pixels, 'A')}
        ${this.#rows.map((row, i) => gallery(this.names[i] ?? runName(i), row, 'Reconstruction of a'))}
        ${
          this.#rows.length === 0
            ? html`<p class="help">
                Start the training: the reconstructed digits appear here as the network learns.
              </p>`
            : ''
        }`,
      this.element,
    );
  }
}
