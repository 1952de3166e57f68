// Takes the losses of a prediction and a target, and gives points with one to drag, and the line that each loss fits to
// them.
import { html, render, svg } from 'lit-html';
import type { Device } from 'nonlin';
import type { Exhibit } from '../../lab/catalogue.ts';
import { Latest } from '../../lab/latest.ts';
import type { LossOp } from '../../lab/losses.ts';
import { defaultsOf } from '../../lab/options.ts';
import { SERIES } from '../../lab/plot.ts';
import { fitLine, type Line, type Point } from './line-fit.ts';

const AT_FIRST = ['mseLoss', 'l1Loss', 'huberLoss'];
const MOST = SERIES.length;
const STRAIGHT: Line = { slope: 0.6, intercept: 0 };
/** Scatter round the line, small and fixed. */
const NOISE = [0.12, -0.2, 0.05, 0.22, -0.1, -0.16, 0.18, 0.02, -0.22, 0.12, -0.05, 0.15];
const INLIERS: readonly Point[] = NOISE.map((noise, i) => {
  const x = -2.75 + (5.5 * i) / (NOISE.length - 1);
  return { x, y: STRAIGHT.slope * x + noise };
});
const REACH = { x: 3.2, y: 4 };
/** Units of the picture per unit. */
const SCALE = { x: 100, y: 50 };
const WIDTH = 2 * SCALE.x * REACH.x;
const HEIGHT = 2 * SCALE.y * REACH.y;
const KEY_STEP = 0.1;
const ARROWS: Readonly<Partial<Record<string, Point>>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: 1 },
  ArrowDown: { x: 0, y: -1 },
};

export class OutlierExhibit implements Exhibit {
  readonly element = document.createElement('section');
  readonly #losses: readonly LossOp[];
  readonly #fitting: Latest;
  #chosen: string[];
  #lines = new Map<string, Line>();
  #outlier: Point = { x: 2, y: -3 };
  #device: Device | undefined;
  #dragging = false;

  constructor(losses: readonly LossOp[], failed: (error: unknown) => void) {
    this.#losses = losses.filter(({ form }) => form.name === 'regression');
    this.#chosen = this.#losses
      .map(({ op }) => op)
      .filter((op) => AT_FIRST.includes(op))
      .sort((a, b) => AT_FIRST.indexOf(a) - AT_FIRST.indexOf(b));
    this.element.className = 'exhibit outlier panel';
    this.element.setAttribute('aria-labelledby', 'outlier-title');
    this.#fitting = new Latest(() => this.#fit(), failed);
    this.#render();
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    this.#fitting.ask();
  }

  dispose(): void {
    this.#device = undefined;
  }

  async #fit(): Promise<void> {
    const device = this.#device;
    if (!device) return;
    const points = [...INLIERS, this.#outlier];
    for (const name of this.#chosen) {
      const loss = this.#losses.find(({ op }) => op === name);
      if (!loss) continue;
      const start = this.#lines.get(name) ?? STRAIGHT;
      try {
        const values = defaultsOf(loss.options);
        this.#lines.set(name, await fitLine(loss.call, values, points, start, device));
      } catch (error) {
        if (device !== this.#device) return;
        throw error;
      }
      this.#render();
    }
    this.element.dataset.fitted = JSON.stringify({
      device: device.type,
      points,
      lines: Object.fromEntries(this.#lines),
    });
  }

  #move(to: Point): void {
    const within = (value: number, reach: number) =>
      Math.round(10 * Math.min(reach, Math.max(-reach, value))) / 10;
    this.#outlier = { x: within(to.x, 3), y: within(to.y, REACH.y - 0.2) };
    this.#render();
    this.#fitting.ask();
  }

  #toggle(name: string, wanted: boolean): void {
    const others = this.#chosen.filter((op) => op !== name);
    this.#chosen = wanted ? [...others, name].slice(-MOST) : others;
    for (const op of this.#lines.keys()) if (!this.#chosen.includes(op)) this.#lines.delete(op);
    this.#render();
    this.#fitting.ask();
  }

  #drag(event: PointerEvent): void {
    const picture = (event.currentTarget as Element).closest('svg');
    if (!this.#dragging || !picture) return;
    const box = picture.getBoundingClientRect();
    this.#move({
      x: (((event.clientX - box.left) / box.width) * 2 - 1) * REACH.x,
      y: (1 - ((event.clientY - box.top) / box.height) * 2) * REACH.y,
    });
  }

  #key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const far = KEY_STEP * (event.shiftKey ? 5 : 1);
    this.#move({ x: this.#outlier.x + far * arrow.x, y: this.#outlier.y + far * arrow.y });
  }

  #render(): void {
    const { x, y } = this.#outlier;
    const words = this.#chosen.map((name) => {
      const line = this.#lines.get(name);
      return line ? `${name}: slope ${line.slope.toFixed(2)}` : name;
    });
    render(
      html`<div class="section-head">
          <h2 id="outlier-title">How far one outlier pulls the line of each loss</h2>
        </div>
        <div class="exhibit-columns">
          <svg
            viewBox="${-WIDTH / 2} ${-HEIGHT / 2} ${WIDTH} ${HEIGHT}"
            class="scatter"
            @pointermove=${(event: PointerEvent) => this.#drag(event)}
            @pointerup=${() => (this.#dragging = false)}
            @pointercancel=${() => (this.#dragging = false)}
          >
            <line class="zero" x1=${-WIDTH / 2} x2=${WIDTH / 2} y1="0" y2="0" />
            <line class="zero" x1="0" x2="0" y1=${-HEIGHT / 2} y2=${HEIGHT / 2} />
            ${INLIERS.map(
              (point) =>
                svg`<circle class="inlier" cx=${SCALE.x * point.x} cy=${-SCALE.y * point.y} r="7" />`,
            )}
            ${this.#chosen.map((name, i) => this.#drawLine(name, i))}
            <circle
              class="handle"
              cx=${SCALE.x * x}
              cy=${-SCALE.y * y}
              r="15"
              tabindex="0"
              role="slider"
              aria-label="Outlier: arrow keys move it"
              aria-valuemin=${-REACH.y}
              aria-valuemax=${REACH.y}
              aria-valuenow=${y}
              aria-valuetext="x ${x}, y ${y}. ${words.join(', ')}"
              @pointerdown=${(event: PointerEvent) => {
                this.#dragging = true;
                (event.currentTarget as Element).setPointerCapture(event.pointerId);
              }}
              @keydown=${(event: KeyboardEvent) => this.#key(event)}
            />
          </svg>
          <div>
            <p>
              Twelve points lie near a line; the ringed one does not.
              <strong>Drag it</strong
              ><span class="about-keys"> , or focus it and press the arrow keys</span>. Each line
              minimises its loss over all thirteen points: it is a linear layer, trained on your
              device by Adam.
            </p>
            <div class="table-frame">
              <table class="lines">
                <thead>
                  <tr>
                    <th scope="col">Loss</th>
                    <th scope="col">Slope</th>
                    <th scope="col">Intercept</th>
                  </tr>
                </thead>
                <tbody>
                  ${this.#losses.map(({ op }) => this.#row(op))}
                  <tr>
                    <th scope="row"><span class="key none">without the outlier</span></th>
                    <td>${STRAIGHT.slope.toFixed(2)}</td>
                    <td>${STRAIGHT.intercept.toFixed(2)}</td>
                  </tr>
                </tbody>
              </table>
            </div>
          </div>
        </div>`,
      this.element,
    );
  }

  #drawLine(name: string, i: number) {
    const line = this.#lines.get(name);
    if (!line) return '';
    const at = (x: number) => -SCALE.y * (line.slope * x + line.intercept);
    return svg`<line
      class="fit c${i + 1}"
      x1=${-WIDTH / 2}
      x2=${WIDTH / 2}
      y1=${at(-REACH.x)}
      y2=${at(REACH.x)}
    />`;
  }

  #row(op: string) {
    const place = this.#chosen.indexOf(op);
    const line = this.#lines.get(op);
    return html`<tr>
      <th scope="row">
        <label class="check">
          <input
            type="checkbox"
            .checked=${place >= 0}
            @change=${(event: Event) =>
              this.#toggle(op, (event.currentTarget as HTMLInputElement).checked)}
          />
          <span class=${place >= 0 ? `key c${place + 1}` : ''}>${op}</span>
        </label>
      </th>
      <td>${line ? line.slope.toFixed(2) : '–'}</td>
      <td>${line ? line.intercept.toFixed(2) : '–'}</td>
    </tr>`;
  }
}
