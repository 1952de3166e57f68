// Takes an element with the parts below in it, and gives a pad that is read as one draws.
import { html, type TemplateResult } from 'lit-html';
import { onTheme } from '../../../shell/theme.ts';
import { Pad } from './pad.ts';
import { Reader } from './reader.ts';

export const padCanvas = (): TemplateResult =>
  html`<canvas
    id="pad"
    class="pad"
    width="560"
    height="560"
    tabindex="0"
    role="application"
    aria-roledescription="drawing pad"
    aria-label="Draw a digit"
    aria-describedby="pad-help"
  ></canvas>`;

/** What the network gets of the drawing. */
export const seenCanvas = (): TemplateResult =>
  html`<canvas
    id="seen"
    width="28"
    height="28"
    role="img"
    aria-label="The drawing as the network gets it: 28 by 28 pixels"
  ></canvas>`;

export const verdictLine = (): TemplateResult =>
  html`<p id="verdict" class="verdict" role="status"></p>`;

export const probabilityBars = (): TemplateResult =>
  html`<ol id="bars" class="bars" aria-label="Probability of each digit"></ol>`;

/** Words for keys, and what is read aloud. */
export const padHelp = (): TemplateResult =>
  html`<p id="pad-help" class="help about-keys pad-help">
      By keyboard: arrow keys move the pen (with Shift, further), Space puts it down and lifts it,
      Delete clears.
    </p>
    <p id="pad-status" class="visually-hidden" role="status"></p>`;

export class Drawing {
  readonly pad: Pad;
  readonly reader: Reader;
  readonly dispose: () => void;

  /** `waiting`: what is said before there is a network. */
  constructor(host: Element, failed: (error: unknown) => void, waiting?: string) {
    const find = <E extends Element>(id: string, Class: new () => E): E => {
      const found = host.querySelector(`#${id}`);
      if (!(found instanceof Class)) throw new Error(`no ${id}`);
      return found;
    };
    const reader = new Reader(
      {
        bars: find('bars', HTMLElement),
        verdict: find('verdict', HTMLElement),
        seen: find('seen', HTMLCanvasElement),
      },
      failed,
      waiting,
    );
    const status = find('pad-status', HTMLElement);
    const pad = new Pad(find('pad', HTMLCanvasElement), {
      changed: (pixels) => reader.read(pixels),
      said: (words) => (status.textContent = words),
    });
    this.reader = reader;
    this.pad = pad;
    this.dispose = onTheme(() => pad.redraw());
  }
}
