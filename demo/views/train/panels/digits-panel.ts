// Takes digit classifiers, and gives a pad to draw on, what one of them makes of it, its confusions and its surest
// mistakes.
import { html, nothing, render } from 'lit-html';
import { chosen } from '../../../lab/chosen.ts';
import { PIXELS, toFloats, type Digits } from '../../../training/digits.ts';
import type { Verdicts } from '../../../training/score.ts';
import type { Report, Trainer } from '../../../training/trainer.ts';
import { runName } from '../form.ts';
import { confusionTable, mistakeGallery } from './confusion.ts';
import {
  Drawing,
  padCanvas,
  padHelp,
  probabilityBars,
  seenCanvas,
  verdictLine,
} from './drawing.ts';
import type { Panel, PanelEvents } from './panel.ts';

export class DigitsPanel implements Panel {
  readonly element = document.createElement('div');
  readonly #heldOut: Digits;
  readonly below = document.createElement('section');
  readonly #drawing: Drawing;
  #trainers: readonly Trainer[] = [];
  #names: readonly string[] = [];
  #verdicts: (Verdicts | undefined)[] = [];
  #run = 0;

  constructor(heldOut: Digits, { failed }: PanelEvents) {
    this.#heldOut = heldOut;
    this.element.className = 'digits-panel';
    const draw = document.createElement('section');
    draw.className = 'draw';
    this.below.className = 'insight';
    this.element.append(draw);
    render(this.#parts(), draw);
    this.#drawing = new Drawing(draw, failed);
  }

  use(trainers: readonly Trainer[], names: readonly string[]): void {
    this.#trainers = trainers;
    this.#names = names;
    this.#verdicts = [];
    this.#run = Math.min(this.#run, Math.max(0, trainers.length - 1));
    this.#choose();
  }

  report(index: number, report: Report): void {
    if (report.kind !== 'epoch') return;
    this.#verdicts[index] = report.verdicts;
    if (index === this.#run) this.#show();
  }

  refresh(): void {
    this.#drawing.reader.refresh();
  }

  dispose(): void {
    this.#drawing.dispose();
  }

  /** The run that reads the pad and whose mistakes are shown. */
  #choose(): void {
    const trainer = this.#trainers[this.#run];
    this.#drawing.reader.use(trainer && ((pixels) => trainer.predict(pixels)));
    this.#show();
  }

  #show(): void {
    const verdicts = this.#verdicts[this.#run];
    render(
      html`<h2>Confusions and mistakes</h2>
        ${
          this.#trainers.length > 1
            ? html`<label class="inspect"
                >Network of
                <select
                  id="inspect"
                  @change=${(event: Event) => {
                    this.#run = Number((event.currentTarget as HTMLSelectElement).value);
                    this.#choose();
                  }}
                >
                  ${this.#trainers.map(
                    (_, i) =>
                      html`<option value=${i}>${runName(i)} (${this.#names[i] ?? ''})</option>`,
                  )}
                  ${chosen(String(this.#run))}
                </select></label
              >`
            : nothing
        }
        ${
          verdicts
            ? html`<div class="insight-columns">
                ${confusionTable(verdicts)} ${mistakeGallery(verdicts, this.#heldOut)}
              </div>`
            : html`<p class="help">
                After the first epoch this shows which digits the network confuses.
              </p>`
        }`,
      this.below,
    );
  }

  /** Puts a held-out digit on the pad. */
  #sample(): void {
    const index = Math.floor(Math.random() * this.#heldOut.count);
    const own = this.#heldOut.pixels.subarray(index * PIXELS, (index + 1) * PIXELS);
    const pixels = toFloats(own);
    this.#drawing.pad.show(pixels);
    this.#drawing.reader.read(pixels, this.#heldOut.labels[index]);
  }

  #parts() {
    return html`<h2>Draw</h2>
      <div class="draw-columns">
        <div class="pad-column">
          ${padCanvas()}
          <div class="toolbar">
            <button id="clear" type="button" @click=${() => this.#drawing.pad.clear()}>
              Clear
            </button>
            <button id="sample" type="button" @click=${() => this.#sample()}>
              Random test digit
            </button>
          </div>
          ${padHelp()}
        </div>
        <div class="reading">
          <div class="verdict-row">
            <figure class="seen">
              ${seenCanvas()}
              <figcaption>Network input</figcaption>
            </figure>
            ${verdictLine()}
          </div>
          ${probabilityBars()}
        </div>
      </div>`;
  }
}
