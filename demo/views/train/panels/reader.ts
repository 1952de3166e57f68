// Takes 28 × 28 pixels and what can read them, and gives the ten probabilities on the page.
import { Latest } from '../../../lab/latest.ts';
import { formatPercent } from '../../../training/format.ts';
import { CLASSES } from '../../../training/tasks/digits.ts';
import { drawPixels } from './pad.ts';

type Pixels = Float32Array<ArrayBuffer>;
type Predict = (pixels: Pixels) => Promise<Float32Array>;

export interface ReaderElements {
  readonly bars: HTMLElement;
  readonly verdict: HTMLElement;
  readonly seen: HTMLCanvasElement;
}

interface Row {
  readonly item: HTMLElement;
  readonly bar: HTMLElement;
  readonly share: HTMLElement;
}

/** Shows what the model makes of the pad's digit, always of the newest one. */
export class Reader {
  readonly #elements: ReaderElements;
  readonly #absent: string;
  readonly #rows: Row[];
  readonly #reading: Latest;
  #predict: Predict | undefined;
  #pixels: Pixels | undefined;
  #truth: number | undefined;

  /** `absent`: what is said while there is no network. */
  constructor(
    elements: ReaderElements,
    failed: (error: unknown) => void,
    absent = 'Train the network first; then it reads what you draw.',
  ) {
    this.#elements = elements;
    this.#absent = absent;
    this.#reading = new Latest(() => this.#read(), failed);
    this.#rows = Array.from({ length: CLASSES }, (_, digit) => createRow(digit));
    elements.bars.append(...this.#rows.map((row) => row.item));
    this.#showNothing();
  }

  /** Takes another model, or none. */
  use(predict: Predict | undefined): void {
    this.#predict = predict;
    this.refresh();
  }

  /** Takes another digit, or none; `truth` is its label where that is known. */
  read(pixels: Pixels | undefined, truth?: number): void {
    this.#pixels = pixels;
    this.#truth = truth;
    const context = this.#elements.seen.getContext('2d');
    context?.clearRect(0, 0, this.#elements.seen.width, this.#elements.seen.height);
    if (context && pixels) drawPixels(context, pixels, this.#elements.seen.width, '#fff');
    this.refresh();
  }

  /** Reads the digit again, with the model as it is now. */
  refresh(): void {
    this.#reading.ask();
  }

  async #read(): Promise<void> {
    const predict = this.#predict;
    const pixels = this.#pixels;
    if (!predict || !pixels) {
      this.#showNothing();
      return;
    }
    try {
      const probabilities = await predict(pixels);
      if (predict === this.#predict && pixels === this.#pixels) this.#show(probabilities);
    } catch (error) {
      // a network that is no longer asked may be gone
      if (predict !== this.#predict) return;
      this.#showNothing();
      throw error;
    }
  }

  #show(probabilities: Float32Array): void {
    const most = probabilities.indexOf(Math.max(...probabilities));
    this.#rows.forEach((row, digit) => {
      const share = probabilities[digit] ?? 0;
      row.item.classList.toggle('most', digit === most);
      row.item.dataset.probability = String(share);
      row.bar.style.width = `${100 * share}%`;
      row.share.textContent = formatPercent(share);
    });
    const digit = document.createElement('strong');
    digit.textContent = most < 0 ? '?' : String(most);
    const truth = this.#truth === undefined ? '' : `; it is labelled ${this.#truth}`;
    const certain = formatPercent(probabilities[most] ?? NaN);
    this.#elements.verdict.replaceChildren('Reads as ', digit, ` with ${certain}${truth}`);
  }

  #showNothing(): void {
    for (const { item, bar, share } of this.#rows) {
      item.classList.remove('most');
      delete item.dataset.probability;
      bar.style.width = '0';
      share.textContent = '–';
    }
    this.#elements.verdict.textContent = this.#predict ? 'Draw a digit from 0 to 9.' : this.#absent;
  }
}

function createRow(digit: number): Row {
  const item = document.createElement('li');
  const name = document.createElement('span');
  const track = document.createElement('span');
  const bar = document.createElement('span');
  const share = document.createElement('span');
  name.textContent = String(digit);
  track.className = 'track';
  bar.className = 'bar';
  share.className = 'share';
  track.append(bar);
  item.append(name, track, share);
  return { item, bar, share };
}
