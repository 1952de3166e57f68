// Takes a device, and gives a pad to draw on whose network is trained already, and what that reads.
import { html, render } from 'lit-html';
import type { Device } from 'nonlin';
import { onTheme } from '../../shell/theme.ts';
import { formatPercent } from '../../training/format.ts';
import { Pad } from '../train/panels/pad.ts';
import { Reader } from '../train/panels/reader.ts';
import { fetchDigitNetwork, type DigitNetwork, type TrainedDigits } from './digit-network.ts';

export class HomePad {
  readonly element = document.createElement('section');
  readonly #pad: Pad;
  readonly #reader: Reader;
  readonly #untheme: () => void;
  readonly #failed: (error: unknown) => void;
  #trained: TrainedDigits | undefined;
  #network: DigitNetwork | undefined;
  #device: Device | undefined;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
    this.element.className = 'home-pad';
    this.element.setAttribute('aria-labelledby', 'pad-title');
    this.#render();
    const find = <E extends Element>(id: string, Class: new () => E): E => {
      const found = this.element.querySelector(`#${id}`);
      if (!(found instanceof Class)) throw new Error(`no ${id}`);
      return found;
    };
    this.#reader = new Reader(
      {
        bars: find('bars', HTMLElement),
        verdict: find('verdict', HTMLElement),
        seen: find('seen', HTMLCanvasElement),
      },
      failed,
      'Loading the network…',
    );
    this.#pad = new Pad(find('pad', HTMLCanvasElement), {
      changed: (pixels) => this.#reader.read(pixels),
      said: (words) => (find('pad-status', HTMLElement).textContent = words),
    });
    this.#untheme = onTheme(() => this.#pad.redraw());
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
    this.#untheme();
    this.#device = undefined;
    this.#connect();
  }

  #connect(): void {
    this.#reader.use(undefined);
    this.#network?.dispose();
    this.#network = undefined;
    if (!this.#device || !this.#trained) return;
    try {
      const network = this.#trained.on(this.#device);
      this.#network = network;
      this.#reader.use((pixels) => network.read(pixels));
    } catch (error) {
      this.#failed(error);
    }
  }

  #render(): void {
    const accuracy = this.#trained?.accuracy;
    render(
      html`<h2 id="pad-title">Draw a digit: the network reads it as you draw</h2>
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
        <div class="verdict-row">
          <canvas
            id="seen"
            width="28"
            height="28"
            role="img"
            aria-label="The drawing as the network gets it: 28 by 28 pixels"
          ></canvas>
          <p id="verdict" class="verdict" role="status"></p>
          <button id="clear" type="button" class="small" @click=${() => this.#pad.clear()}>
            Clear
          </button>
        </div>
        <ol id="bars" class="bars" aria-label="Probability of each digit"></ol>
        <p class="help">
          784 → 64 → 10 units, trained by <code>npm run digits</code> on 8,000 digits of MNIST; it
          reads ${accuracy === undefined ? '…' : formatPercent(accuracy)} of 2,000 others rightly.
        </p>
        <p id="pad-help" class="help about-keys">
          By keyboard: arrow keys move the pen (with Shift, further), Space puts it down and lifts
          it, Delete clears.
        </p>
        <p id="pad-status" class="visually-hidden" role="status"></p>`,
      this.element,
    );
  }
}
