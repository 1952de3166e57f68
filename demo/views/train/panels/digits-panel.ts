// Takes digit classifiers, and gives a pad to draw on, what one of them makes of it, its confusions and its surest
// mistakes.
import { html, nothing, render } from 'lit-html';
import { chosen } from '../../../lab/chosen.ts';
import { PIXELS, toFloats, type Digits } from '../../../training/digits.ts';
import type { Verdicts } from '../../../training/score.ts';
import type { Report, Trainer } from '../../../training/trainer.ts';
import { onTheme } from '../../../shell/theme.ts';
import { runName } from '../form.ts';
import { confusionTable, mistakeGallery } from './confusion.ts';
import { Pad } from './pad.ts';
import type { Panel, PanelEvents } from './panel.ts';
import { Reader } from './reader.ts';

const find = <E extends Element>(host: Element, selector: string, Class: new () => E): E => {
  const element = host.querySelector(selector);
  if (!(element instanceof Class)) throw new Error(`no ${selector}`);
  return element;
};

export class DigitsPanel implements Panel {
  readonly element = document.createElement('div');
  readonly #heldOut: Digits;
  readonly below = document.createElement('section');
  readonly #pad: Pad;
  readonly #reader: Reader;
  readonly #untheme: () => void;
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
    render(this.#drawing(), draw);
    this.#reader = new Reader(
      {
        bars: find(draw, '#bars', HTMLElement),
        verdict: find(draw, '#verdict', HTMLElement),
        seen: find(draw, '#seen', HTMLCanvasElement),
      },
      failed,
    );
    this.#pad = new Pad(find(draw, '#pad', HTMLCanvasElement), {
      changed: (pixels) => this.#reader.read(pixels),
      said: (words) => (find(draw, '#pad-status', HTMLElement).textContent = words),
    });
    this.#untheme = onTheme(() => this.#pad.redraw());
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
    this.#reader.refresh();
  }

  dispose(): void {
    this.#untheme();
  }

  /** The run that reads the pad and whose mistakes are shown. */
  #choose(): void {
    const trainer = this.#trainers[this.#run];
    this.#reader.use(trainer && ((pixels) => trainer.predict(pixels)));
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
    this.#pad.show(pixels);
    this.#reader.read(pixels, this.#heldOut.labels[index]);
  }

  #drawing() {
    return html`<h2>Draw</h2>
      <div class="draw-columns">
        <div class="pad-column">
          <canvas
            id="pad"
            class="pad"
            width="560"
            height="560"
            tabindex="0"
            role="application"
            aria-roledescription="drawing pad"
            aria-label="Draw a digit"
            aria-describedby="pad-help"
          ></canvas>
          <div class="toolbar">
            <button id="clear" type="button" @click=${() => this.#pad.clear()}>Clear</button>
            <button id="sample" type="button" @click=${() => this.#sample()}>
              Random test digit
            </button>
          </div>
          <p id="pad-help" class="help about-keys pad-help">
            By keyboard: arrow keys move the pen (with Shift, further), Space puts it down and lifts
            it, Delete clears.
          </p>
          <p id="pad-status" class="visually-hidden" role="status"></p>
        </div>
        <div class="reading">
          <div class="verdict-row">
            <figure class="seen">
              <canvas
                id="seen"
                width="28"
                height="28"
                role="img"
                aria-label="The drawing as the network gets it: 28 by 28 pixels"
              ></canvas>
              <figcaption>Network input</figcaption>
            </figure>
            <p id="verdict" class="verdict" role="status"></p>
          </div>
          <ol id="bars" class="bars" aria-label="Probability of each digit"></ol>
        </div>
      </div>`;
  }
}
