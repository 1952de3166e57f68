// Takes networks that tell two spirals apart, and gives for each a heat map of what it says everywhere, with the points.
import { html, render } from 'lit-html';
import { onTheme } from '../../../shell/theme.ts';
import type { Spirals } from '../../../training/tasks/spirals.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { runName } from '../form.ts';
import { paintBoundary, placesOf } from './boundary.ts';
import { PicturePanel, type PanelEvents } from './panel.ts';

/** Places along a side that the networks are asked about, and pixels of the picture. */
const GRID = 60;
const SIDE = 480;

export class SpiralsPanel extends PicturePanel {
  readonly #task: Spirals;
  readonly #canvases: HTMLCanvasElement[] = [];
  readonly #untheme: () => void;
  readonly #places = placesOf(GRID);
  #shares: (Float32Array | undefined)[] = [];

  constructor(task: Spirals, events: PanelEvents) {
    super(events);
    this.#task = task;
    this.element.className = 'boundary';
    this.#untheme = onTheme(() => this.#paintAll());
    this.render();
  }

  protected override forget(): void {
    this.#shares = [];
  }

  override dispose(): void {
    super.dispose();
    this.#untheme();
  }

  protected override async ask(trainers: readonly Trainer[]): Promise<void> {
    for (const [i, trainer] of trainers.entries()) {
      const shares = await trainer.predict(this.#places);
      if (trainers !== this.trainers) return;
      // of two probabilities the second
      this.#shares[i] = shares.filter((_, k) => k % 2 === 1);
    }
    this.#paintAll();
  }

  protected override render(): void {
    const count = Math.max(1, this.trainers.length);
    while (this.#canvases.length < count) {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = SIDE;
      canvas.setAttribute('role', 'img');
      this.#canvases.push(canvas);
    }
    render(
      html`<h2>Decision boundary</h2>
        <div class="boundaries">
          ${this.#canvases.slice(0, count).map(
            (canvas, i) =>
              html`<figure>
                <figcaption>
                  ${count > 1 ? html`<span class="key c${i + 1}">${runName(i)}</span>` : ''}
                  ${this.names[i] ?? 'No network yet'}
                </figcaption>
                ${canvas}
              </figure>`,
          )}
        </div>`,
      this.element,
    );
    this.#paintAll();
  }

  #paintAll(): void {
    this.#canvases.forEach((canvas, i) => {
      paintBoundary(canvas, this.#task, this.#shares[i]);
      const shares = this.#shares[i];
      Object.assign(canvas, {
        plotted: { x: [...this.#places], series: [{ label: 'share', y: shares ?? [] }] },
      });
      const unsure = shares?.filter((share) => share > 0.1 && share < 0.9).length ?? 0;
      canvas.setAttribute(
        'aria-label',
        shares
          ? `Decision boundary of ${this.names[i] ?? 'the network'}: unsure over ${Math.round((100 * unsure) / shares.length)} % of the plane`
          : 'The training points of two spirals',
      );
    });
  }
}
