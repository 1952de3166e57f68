// Takes a canvas; what a pointer or the keyboard does on it, or a digit to show. Gives 28 × 28 pixels after each change.
import { colour } from '../../../shell/theme.ts';
import { PIXELS, SIDE } from '../../../training/digits.ts';
import { rasterise, type Point } from './ink.ts';

export interface PadEvents {
  /** The digit as the network takes it, or undefined for an empty pad. */
  readonly changed: (pixels: Float32Array<ArrayBuffer> | undefined) => void;
  /** What a keyboard user cannot see happening. */
  readonly said: (words: string) => void;
}

/** Of the pad's side: the pen as wide as MNIST's strokes, and a key press as far as one of its pixels. */
const PEN_WIDTH = 0.075;
const KEY_STEP = 1 / SIDE;
const LONG_KEY_STEP = 4 / SIDE;

const ARROWS: Readonly<Partial<Record<string, Point>>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** The drawing pad. Points are shares of its side. */
export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #events: PadEvents;
  #strokes: Point[][] = [];
  /** A digit shown instead of a drawing. */
  #digit: Float32Array | undefined;
  #cursor: Point = { x: 0.5, y: 0.25 };
  /** The stroke being drawn, if any, and by what. */
  #pen: { stroke: Point[]; pointer: number | 'keyboard' } | undefined;

  constructor(canvas: HTMLCanvasElement, events: PadEvents) {
    this.#canvas = canvas;
    this.#events = events;
    canvas.addEventListener('pointerdown', (event) => this.#pointerDown(event));
    canvas.addEventListener('pointermove', (event) => this.#pointerMove(event));
    for (const type of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(type, (event) => {
        if (this.#pen?.pointer === event.pointerId) this.#pen = undefined;
      });
    }
    canvas.addEventListener('keydown', (event) => this.#keyDown(event));
    canvas.addEventListener('focus', () => this.redraw());
    canvas.addEventListener('blur', () => {
      if (this.#pen?.pointer === 'keyboard') this.#pen = undefined;
      this.redraw();
    });
    this.redraw();
  }

  /** Empties the pad. */
  clear(): void {
    this.#strokes = [];
    this.#digit = undefined;
    this.#pen = undefined;
    this.#change();
  }

  /** Shows a digit of 28 × 28 pixels instead of a drawing. */
  show(pixels: Float32Array<ArrayBuffer>): void {
    this.#strokes = [];
    this.#pen = undefined;
    this.#digit = pixels;
    this.redraw();
    this.#events.changed(pixels);
  }

  /** Draws again, in the page's present colours. */
  redraw(): void {
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    const { width, height } = this.#canvas;
    const ink = colour('--ink');
    context.clearRect(0, 0, width, height);
    if (!this.#digit && this.#strokes.length === 0) {
      context.fillStyle = colour('--muted');
      context.font = '34px system-ui, sans-serif';
      context.textAlign = 'center';
      context.fillText('draw a digit here', width / 2, height / 2);
    }
    if (this.#digit) drawPixels(context, this.#digit, width, ink);
    context.strokeStyle = ink;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.lineWidth = PEN_WIDTH * width;
    for (const stroke of this.#strokes) {
      tracePath(context, stroke, width);
    }
    if (this.#canvas.matches(':focus-visible')) this.#drawCursor(context);
  }

  #drawCursor(context: CanvasRenderingContext2D): void {
    const { width, height } = this.#canvas;
    const radius = (PEN_WIDTH * width) / 2;
    context.lineWidth = 4;
    context.strokeStyle = colour('--held-out');
    context.fillStyle = context.strokeStyle;
    context.beginPath();
    context.arc(this.#cursor.x * width, this.#cursor.y * height, radius, 0, 2 * Math.PI);
    if (this.#pen) context.fill();
    context.stroke();
  }

  #pointerDown(event: PointerEvent): void {
    // the main button or a touch; a second finger does not draw
    if (event.button !== 0 || (this.#pen && this.#pen.pointer !== 'keyboard')) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#at(event), event.pointerId);
  }

  #pointerMove(event: PointerEvent): void {
    if (this.#pen?.pointer !== event.pointerId) return;
    const events = event.getCoalescedEvents();
    for (const each of events.length > 0 ? events : [event]) this.#pen.stroke.push(this.#at(each));
    this.#change();
  }

  #keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = event.shiftKey ? LONG_KEY_STEP : KEY_STEP;
      this.#move({ x: this.#cursor.x + arrow.x * step, y: this.#cursor.y + arrow.y * step });
    } else if (event.key === ' ' || event.key === 'Enter') {
      if (!event.repeat) this.#togglePen();
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.clear();
      this.#events.said('Cleared');
    } else {
      return;
    }
    event.preventDefault();
  }

  #togglePen(): void {
    if (this.#pen) {
      this.#pen = undefined;
      this.redraw();
      this.#events.said('Pen up');
    } else {
      this.#begin(this.#cursor, 'keyboard');
      this.#events.said('Pen down');
    }
  }

  #move({ x, y }: Point): void {
    const inside = (value: number) => Math.min(1 - PEN_WIDTH / 2, Math.max(PEN_WIDTH / 2, value));
    this.#cursor = { x: inside(x), y: inside(y) };
    if (this.#pen?.pointer === 'keyboard') {
      this.#pen.stroke.push(this.#cursor);
      this.#change();
    } else {
      this.redraw();
    }
  }

  #begin(point: Point, pointer: number | 'keyboard'): void {
    this.#digit = undefined;
    this.#pen = { stroke: [point], pointer };
    this.#strokes.push(this.#pen.stroke);
    this.#change();
  }

  #at(event: PointerEvent): Point {
    const box = this.#canvas.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
    };
  }

  #change(): void {
    this.redraw();
    this.#events.changed(rasterise(this.#strokes));
  }
}

/** A stroke rounded at its points: a fast pointer reports few of them. */
function tracePath(
  context: CanvasRenderingContext2D,
  stroke: readonly Point[],
  side: number,
): void {
  const [first, ...rest] = stroke;
  if (!first) return;
  context.beginPath();
  context.moveTo(first.x * side, first.y * side);
  let from = first;
  for (const to of rest) {
    const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
    context.quadraticCurveTo(from.x * side, from.y * side, middle.x * side, middle.y * side);
    from = to;
  }
  // without a second point a line of no length: a dot, as its ends are round
  context.lineTo(from.x * side, from.y * side);
  context.stroke();
}

/** Pixels as squares in `color`, as opaque as they are inky. */
export function drawPixels(
  context: CanvasRenderingContext2D,
  pixels: Float32Array,
  side: number,
  color: string,
): void {
  const square = side / SIDE;
  context.fillStyle = color;
  for (let i = 0; i < PIXELS; i++) {
    context.globalAlpha = pixels[i] ?? 0;
    context.fillRect((i % SIDE) * square, Math.floor(i / SIDE) * square, square, square);
  }
  context.globalAlpha = 1;
}
