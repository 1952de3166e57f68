// Takes what was written, and gives a picture of each head's attention, of which one is shown large.
import { html, render, type TemplateResult } from 'lit-html';
import { colour, onTheme } from '../../shell/theme.ts';
import { squareOf, type Head, type Square } from './attention.ts';
import type { Sample } from './run.ts';

export interface HeadEvents {
  /** A head is chosen, for good or while the pointer is over it. */
  readonly look: (head: Head) => void;
  /** A character is looked at, by the place of its row. */
  readonly point: (at: number | undefined) => void;
}

interface Extent {
  readonly layers: number;
  readonly heads: number;
  /** Characters along a side. */
  readonly side: number;
}

export class HeadMaps {
  readonly element = document.createElement('section');
  readonly #events: HeadEvents;
  readonly #large = document.createElement('canvas');
  readonly #untheme: () => void;
  #small: HTMLCanvasElement[] = [];
  #extent: Extent = { layers: 0, heads: 0, side: 0 };
  #sample: Sample | undefined;
  #chosen: Head;
  #pointed: Head;
  #marked: number | undefined;
  #square: Square = { side: 0, first: 0, weights: new Float32Array(0) };

  constructor(events: HeadEvents) {
    this.#events = events;
    this.element.className = 'heads';
    this.element.setAttribute('aria-labelledby', 'heads-title');
    this.#large.setAttribute('role', 'img');
    this.#large.id = 'attention-map';
    this.#large.addEventListener('pointermove', (event) => this.#point(event));
    this.#large.addEventListener('pointerleave', () => events.point(undefined));
    this.#untheme = onTheme(() => this.#paint());
  }

  /** The head that is looked at now. */
  get head(): Head {
    return this.#pointed ?? this.#chosen;
  }

  show(sample: Sample | undefined, extent: Extent, marked: number | undefined): void {
    const { layers, heads, side } = this.#extent;
    if (layers !== extent.layers || heads !== extent.heads || side !== extent.side) {
      this.#extent = extent;
      this.#small = Array.from({ length: extent.layers * extent.heads }, (_, head) => {
        const canvas = document.createElement('canvas');
        canvas.setAttribute('role', 'img');
        canvas.setAttribute('aria-label', `Attention of ${this.#nameOf(head)}`);
        return canvas;
      });
      this.#chosen = this.#pointed = undefined;
    }
    this.#sample = sample;
    this.#marked = marked;
    this.#paint();
    this.#render();
  }

  dispose(): void {
    this.#untheme();
  }

  #paint(): void {
    const { side } = this.#extent;
    const sample = this.#sample ?? { step: 0, prompt: [], characters: [], whole: true };
    const ink = colour('--c1');
    this.#small.forEach((canvas, head) => paint(canvas, squareOf(sample, side, head), ink));
    this.#square = squareOf(sample, side, this.head);
    paint(this.#large, this.#square, ink);
    const row = this.#marked === undefined ? -1 : this.#marked - this.#square.first;
    const context = this.#large.getContext('2d');
    if (context && row >= 0 && row < side) {
      context.fillStyle = colour('--c2');
      context.globalAlpha = 0.25;
      context.fillRect(0, row, side, 1);
      context.globalAlpha = 1;
    }
    const series = [{ label: 'attention', y: this.#square.weights }];
    Object.assign(this.#large, { plotted: { x: [], series } });
    const of = this.head === undefined ? 'all heads' : this.#nameOf(this.head);
    this.#large.setAttribute(
      'aria-label',
      `Attention of ${of} over the last ${side} characters: each row is a character, marked where it looked`,
    );
  }

  #nameOf(head: number): string {
    const { heads } = this.#extent;
    return `layer ${Math.floor(head / heads) + 1}, head ${(head % heads) + 1}`;
  }

  #point(event: PointerEvent): void {
    const { height, top } = this.#large.getBoundingClientRect();
    const row = Math.floor(((event.clientY - top) / height) * this.#square.side);
    this.#events.point(this.#square.first + row);
  }

  #look(change: () => void): void {
    change();
    this.#paint();
    this.#render();
    this.#events.look(this.head);
  }

  #render(): void {
    const { layers, heads } = this.#extent;
    const words = this.head === undefined ? 'Mean of all heads' : this.#nameOf(this.head);
    render(
      html`<h2 id="heads-title">What each head looks at</h2>
        <figure class="large-map">
          ${this.#large}
          <figcaption>
            <span id="head-name">${words.charAt(0).toUpperCase() + words.slice(1)}</span>
            <span class="axis-name">row: a character · column: what it looked at</span>
          </figcaption>
        </figure>
        <div class="head-grid" style="--heads: ${heads}">
          ${Array.from({ length: layers }, (_, layer) => this.#layer(layer))}
        </div>
        <button
          type="button"
          class="small quiet"
          id="all-heads"
          aria-pressed=${this.#chosen === undefined}
          @click=${() => this.#look(() => (this.#chosen = undefined))}
        >
          Mean of all heads
        </button>`,
      this.element,
    );
  }

  #layer(layer: number): TemplateResult {
    const { heads } = this.#extent;
    return html`<div class="head-row" role="group" aria-label="Layer ${layer + 1}">
      <span class="layer-name" aria-hidden="true">Layer ${layer + 1}</span>
      ${Array.from({ length: heads }, (_, i) => {
        const head = layer * heads + i;
        const canvas = this.#small[head];
        return html`<button
          type="button"
          class="head"
          aria-label=${`Head ${i + 1} of layer ${layer + 1}`}
          aria-pressed=${this.#chosen === head}
          @click=${() =>
            this.#look(() => (this.#chosen = this.#chosen === head ? undefined : head))}
          @pointerenter=${(event: PointerEvent) => {
            if (event.pointerType === 'mouse') this.#look(() => (this.#pointed = head));
          }}
          @pointerleave=${() => this.#look(() => (this.#pointed = undefined))}
        >
          ${canvas}
        </button>`;
      })}
    </div>`;
  }
}

/** Each weight a pixel, as opaque as its root: a tenth is seen, too. */
function paint(canvas: HTMLCanvasElement, { side, weights }: Square, ink: string): void {
  if (side === 0) return;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext('2d');
  if (!context) return;
  const [red = 0, green = 0, blue = 0] = (ink.match(/[\d.]+/g) ?? []).map(Number);
  const image = context.createImageData(side, side);
  weights.forEach((weight, i) =>
    image.data.set([red, green, blue, 255 * Math.sqrt(weight)], 4 * i),
  );
  context.putImageData(image, 0, 0);
}
