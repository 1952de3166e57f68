// Takes a device, and gives a pad to draw on whose network is trained already, and what that reads.
import { html, render } from 'lit-html';
import type { Device } from 'nonlin';
import { formatPercent } from '../../training/format.ts';
import {
  Drawing,
  padCanvas,
  padHelp,
  probabilityBars,
  seenCanvas,
  verdictLine,
} from '../train/panels/drawing.ts';
import { fetchDigitNetwork, type DigitNetwork, type TrainedDigits } from './digit-network.ts';

export class HomePad {
  readonly element = document.createElement('section');
  readonly #drawing: Drawing;
  readonly #failed: (error: unknown) => void;
  #trained: TrainedDigits | undefined;
  #network: DigitNetwork | undefined;
  #device: Device | undefined;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
    this.element.className = 'home-pad';
    this.element.setAttribute('aria-labelledby', 'pad-title');
    this.#render();
    this.#drawing = new Drawing(this.element, failed, 'Loading the network…');
    fetchDigitNetwork()
      .then((trained) => {
        this.#trained = trained;
        this.#render();
        this.#connect();
      })
      .catch(failed);
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    this.#connect();
  }

  dispose(): void {
    this.#drawing.dispose();
    this.#device = undefined;
    this.#connect();
  }

  #connect(): void {
    this.#drawing.reader.use(undefined);
    this.#network?.dispose();
    this.#network = undefined;
    if (!this.#device || !this.#trained) return;
    try {
      const network = this.#trained.on(this.#device);
      this.#network = network;
      this.#drawing.reader.use((pixels) => network.read(pixels));
    } catch (error) {
      this.#failed(error);
    }
  }

  #render(): void {
    const accuracy = this.#trained?.accuracy;
    render(
      html`<h2 id="pad-title">Draw a digit: the network reads it as you draw</h2>
        ${padCanvas()}
        <div class="verdict-row">
          ${seenCanvas()} ${verdictLine()}
          <button id="clear" type="button" class="small" @click=${() => this.#drawing.pad.clear()}>
            Clear
          </button>
        </div>
        ${probabilityBars()}
        <p class="help">
          784 → 64 → 10 units, trained by <code>npm run digits</code> on 8,000 digits of MNIST; it
          reads ${accuracy === undefined ? '…' : formatPercent(accuracy)} of 2,000 others rightly.
        </p>
        ${padHelp()}`,
      this.element,
    );
  }
}
