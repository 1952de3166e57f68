// Takes what a network says at the places of a grid, and gives a heat map of it with the points that it learned from.
import { colour } from '../../../shell/theme.ts';
import { REACH, type Spirals } from '../../../training/tasks/spirals.ts';

const MOST_OPAQUE = 0.62;
/** Of a picture 480 pixels wide. */
const POINT = 4 / 480;

/** `shares` are those of the second class at `placesOf(n)`; undefined: the points alone. */
export function paintBoundary(
  canvas: HTMLCanvasElement,
  { points }: Pick<Spirals, 'points'>,
  shares: Float32Array | undefined,
): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const side = canvas.width;
  context.clearRect(0, 0, side, side);
  const [first, second, paper] = [colour('--c1'), colour('--c2'), colour('--raised')];
  if (shares) {
    const grid = Math.sqrt(shares.length);
    const small = new OffscreenCanvas(grid, grid);
    const brush = small.getContext('2d');
    shares.forEach((share, i) => {
      if (!brush) return;
      brush.fillStyle = share > 0.5 ? second : first;
      brush.globalAlpha = MOST_OPAQUE * Math.abs(2 * share - 1);
      brush.fillRect(i % grid, Math.floor(i / grid), 1, 1);
    });
    context.imageSmoothingEnabled = true;
    context.drawImage(small, 0, 0, side, side);
  }
  const at = (value: number) => ((value / REACH + 1) / 2) * side;
  points.labels.forEach((label, i) => {
    context.beginPath();
    const [x = 0, y = 0] = [points.x[2 * i], points.x[2 * i + 1]];
    context.arc(at(x), side - at(y), POINT * side, 0, 2 * Math.PI);
    context.fillStyle = label === 1 ? second : first;
    context.fill();
    context.lineWidth = 1.25;
    context.strokeStyle = paper;
    context.stroke();
  });
}

/** Middles of the squares of a grid, row after row from the top. */
export function placesOf(count: number): Float32Array {
  const places = new Float32Array(2 * count * count);
  const at = (i: number) => REACH * ((2 * (i + 0.5)) / count - 1);
  for (let i = 0; i < count * count; i++) {
    places[2 * i] = at(i % count);
    places[2 * i + 1] = -at(Math.floor(i / count));
  }
  return places;
}
