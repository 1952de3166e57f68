// Takes a network, now and then, and gives pictures of what its units hold, in an element.
import { html, nothing, render } from 'lit-html';
import { colour } from '../../../shell/theme.ts';
import type { Trainer } from '../../../training/trainer.ts';
import type { PictureKind, UnitPictures } from './pictures.ts';
import { paintTiles, rgbOf, sizeOfTiles, wholeOf } from './tiles.ts';

export class UnitPictureBoard {
  readonly element = document.createElement('section');
  #kind: PictureKind | undefined;
  #layers: readonly UnitPictures[] = [];
  #canvases: readonly HTMLCanvasElement[] = [];
  #name = '';

  constructor() {
    this.element.className = 'unit-pictures';
  }

  /** `name`: of the network, where there are several. */
  use(kind: PictureKind | undefined, name: string): void {
    this.#kind = kind;
    this.#name = name;
    this.#layers = [];
    this.element.hidden = kind === undefined;
    this.#render();
  }

  /** Takes pictures; undefined where there are none of this task. */
  take(trainer: Trainer): Promise<UnitPictures[]> | undefined {
    return this.#kind?.take(trainer);
  }

  show(layers: readonly UnitPictures[]): void {
    const before = this.#layers;
    this.#layers = layers;
    if (layers.some(({ title }, i) => title !== before[i]?.title)) this.#render();
    this.paint();
  }

  paint(): void {
    const { columns = 1 } = this.#kind ?? {};
    const [above, below] = [rgbOf(colour('--c1')), rgbOf(colour('--c2'))];
    this.#layers.forEach(({ pictures, side }, i) => {
      const canvas = this.#canvases[i];
      const context = canvas?.getContext('2d');
      if (!canvas || !context || pictures.length === 0) return;
      const values = new Float32Array(pictures.length * side * side);
      pictures.forEach((picture, k) => values.set(picture, k * side * side));
      const tiling = { width: side, height: side, columns, above, below, whole: wholeOf(values) };
      const { width, height } = sizeOfTiles(pictures.length, tiling);
      if (canvas.width !== width || canvas.height !== height)
        Object.assign(canvas, { width, height });
      context.putImageData(new ImageData(paintTiles(pictures, tiling), width, height), 0, 0);
      const series = pictures.map((y, unit) => ({ label: `unit ${unit + 1}`, y }));
      Object.assign(canvas, { plotted: { x: [...(pictures[0] ?? []).keys()], series } });
    });
  }

  #render(): void {
    const kind = this.#kind;
    if (!kind) return;
    this.#canvases = this.#layers.map(({ words }, i) => {
      const canvas = this.#canvases[i] ?? document.createElement('canvas');
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', words);
      canvas.classList.toggle('squares', kind.squares);
      return canvas;
    });
    render(
      html`<h3>
          ${kind.title}${this.#name === '' ? nothing : html`<span class="of">, ${this.#name}</span>`}
        </h3>
        ${
          this.#layers.length === 0
            ? html`<p class="help">They appear here once there is a network.</p>`
            : this.#layers.map(
                ({ title }, i) =>
                  html`<figure>
                    ${title === '' ? nothing : html`<figcaption>${title}</figcaption>`}
                    ${this.#canvases[i]}
                  </figure>`,
              )
        }
        <p class="help">${kind.help}</p>`,
      this.element,
    );
  }
}
