// Takes the strokes of a drawing, and gives 28 × 28 pixels made the way MNIST's were: fitted into a box of 20 × 20 with
// grey edges, then moved so that the centre of mass is the centre of the image.
import { PIXELS, SIDE } from '../../../training/digits.ts';

/** Any unit, y downwards. */
export interface Point {
  readonly x: number;
  readonly y: number;
}
export type Stroke = readonly Point[];

/** The box that a digit is fitted into, in pixels. */
const BOX = 20;
/** Radius of a stroke's core, and how far its grey edge reaches, in pixels: as wide as MNIST's strokes. */
const CORE = 0.75;
const EDGE = 1.5;
/** A drawing is stretched at most until its ink touches the box. */
const REACH = BOX - 2 * (CORE + EDGE / 2);
const CENTRE = SIDE / 2;
/** The ink box stays within the image. */
const MAX_SHIFT = (SIDE - BOX) / 2;

/** The image of a drawing, 0 (paper) to 1 (ink), or undefined where nothing was drawn. */
export function rasterise(strokes: readonly Stroke[]): Float32Array<ArrayBuffer> | undefined {
  const points = strokes.flat();
  if (points.length === 0) return undefined;
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const [left, right, top, bottom] = [...extent(xs), ...extent(ys)];
  const size = Math.max(right - left, bottom - top);
  // a dot has no size and is not stretched
  const scale = size > 0 ? REACH / size : 1;
  const placed = (dx: number, dy: number) =>
    strokes.map((stroke) =>
      stroke.map(({ x, y }) => ({
        x: (x - (left + right) / 2) * scale + CENTRE + dx,
        y: (y - (top + bottom) / 2) * scale + CENTRE + dy,
      })),
    );
  const mass = centreOfMass(paint(placed(0, 0)));
  return paint(placed(shift(mass.x), shift(mass.y)));
}

/** Where the ink's weight lies, in pixels from the image's corner. */
export function centreOfMass(image: Float32Array): Point {
  let total = 0;
  let x = 0;
  let y = 0;
  image.forEach((ink, i) => {
    total += ink;
    x += ink * ((i % SIDE) + 0.5);
    y += ink * (Math.floor(i / SIDE) + 0.5);
  });
  return { x: x / total, y: y / total };
}

function shift(mass: number): number {
  return Math.min(MAX_SHIFT, Math.max(-MAX_SHIFT, CENTRE - mass));
}

function extent(values: readonly number[]): [number, number] {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

/** Strokes in pixels as an image; where they cross, ink does not add up. */
function paint(strokes: readonly Stroke[]): Float32Array<ArrayBuffer> {
  const image = new Float32Array(PIXELS);
  for (const stroke of strokes) {
    stroke.forEach((to, i) => {
      paintSegment(image, stroke[i - 1] ?? to, to);
    });
  }
  return image;
}

function paintSegment(image: Float32Array, from: Point, to: Point): void {
  const reach = CORE + EDGE;
  const first = (a: number, b: number) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (a: number, b: number) => Math.min(SIDE - 1, Math.ceil(Math.max(a, b) + reach));
  for (let row = first(from.y, to.y); row <= last(from.y, to.y); row++) {
    for (let column = first(from.x, to.x); column <= last(from.x, to.x); column++) {
      const distance = distanceTo({ x: column + 0.5, y: row + 0.5 }, from, to);
      const ink = Math.min(1, Math.max(0, (CORE + EDGE - distance) / EDGE));
      const i = row * SIDE + column;
      image[i] = Math.max(image[i] ?? 0, ink);
    }
  }
}

/** From a point to a segment. */
function distanceTo(point: Point, from: Point, to: Point): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const squared = dx * dx + dy * dy;
  const along = squared > 0 ? ((point.x - from.x) * dx + (point.y - from.y) * dy) / squared : 0;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - from.x - t * dx, point.y - from.y - t * dy);
}
