// Two boxes (x1, y1, x2, y2) in float64: their areas, what they share, and derivatives by the first.
import { at } from '../../cpu/rows.ts';

/** Numbers for x1, y1, x2 and y2. */
export type Four = readonly [number, number, number, number];

export interface Boxes {
  /** Sides of the first box, of the second, and of the smallest that holds both. */
  readonly size1: readonly [number, number];
  readonly size2: readonly [number, number];
  readonly outer: readonly [number, number];
  /** From centre to centre. */
  readonly apart: readonly [number, number];
  readonly union: number;
  readonly iou: number;
  readonly eps: number;
  /** The derivatives of the intersection, of the first box's area, and of the side of the outer box. */
  readonly dIntersection: Four;
  readonly dArea: Four;
  readonly dOuter: Four;
}

/** The derivative of the larger of two numbers by the first: a half where they are equal. */
const isAbove = (x: number, y: number): number => (x > y ? 1 : x === y ? 0.5 : 0);

export function boxesOf(first: Float64Array, second: Float64Array, eps: number): Boxes {
  const [ax, ay, bx, by] = [0, 1, 2, 3].map((i) => at(first, i)) as unknown as Four;
  const [cx, cy, dx, dy] = [0, 1, 2, 3].map((i) => at(second, i)) as unknown as Four;
  const size1 = [bx - ax, by - ay] as const;
  const size2 = [dx - cx, dy - cy] as const;
  const [w, h] = [Math.min(bx, dx) - Math.max(ax, cx), Math.min(by, dy) - Math.max(ay, cy)];
  const touch = w > 0 && h > 0;
  const intersection = touch ? w * h : 0;
  const union = size1[0] * size1[1] + size2[0] * size2[1] - intersection;
  const dIntersection: Four = touch
    ? [-isAbove(ax, cx) * h, -isAbove(ay, cy) * w, isAbove(dx, bx) * h, isAbove(dy, by) * w]
    : [0, 0, 0, 0];
  return {
    size1,
    size2,
    outer: [Math.max(bx, dx) - Math.min(ax, cx), Math.max(by, dy) - Math.min(ay, cy)],
    apart: [(ax - cx + (bx - dx)) / 2, (ay - cy + (by - dy)) / 2],
    union,
    iou: intersection / (union + eps),
    eps,
    dIntersection,
    dArea: [-size1[1], -size1[0], size1[1], size1[0]],
    dOuter: [-isAbove(cx, ax), -isAbove(cy, ay), isAbove(bx, dx), isAbove(by, dy)],
  };
}

/** What a loss of boxes adds to 1 - iou, and its gradient. */
export interface Penalty {
  readonly value: number;
  readonly grad: Four;
}

/** The squared distance of the centres over the squared diagonal of the outer box. */
export function centerDistance({ apart: [x, y], outer: [w, h], eps, dOuter }: Boxes): Penalty {
  const diagonal = w * w + h * h + eps;
  const value = (x * x + y * y) / diagonal;
  const side = (d: number, length: number, i: 0 | 1 | 2 | 3): number =>
    (d - 2 * value * length * dOuter[i]) / diagonal;
  return { value, grad: [side(x, w, 0), side(y, h, 1), side(x, w, 2), side(y, h, 3)] };
}
