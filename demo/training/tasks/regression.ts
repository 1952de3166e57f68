// Takes a seed, and gives a curve seen with noise and outliers, and the task of finding it; judged against the curve
// itself.
import { generator } from '../random.ts';
import { examplesOf, type Task } from '../task.ts';

const COUNT = 240;
const HELD_OUT = 201;
const NOISE = 0.08;
/** One in so many points is far off, and always above: their mean is not 0. */
const ONE_IN = 6;
/** x goes from minus this to this. */
export const REACH = 3;

export interface Regression extends Task {
  readonly points: readonly { readonly x: number; readonly y: number; readonly outlier: boolean }[];
}

export const trueCurve = (x: number): number => Math.sin(1.6 * x) * 0.8 + 0.15 * x;

export function regressionTask(seed = 1): Regression {
  const random = generator(seed);
  const bell = () => (random() + random() + random() - 1.5) * 2;
  const points = Array.from({ length: COUNT }, (_, i) => {
    const x = REACH * (2 * random() - 1);
    const outlier = i % ONE_IN === 0;
    const off = outlier ? 1.5 + 2 * random() : NOISE * bell();
    return { x, y: trueCurve(x) + off, outlier };
  });
  const places = Float32Array.from({ length: HELD_OUT }, (_, i) => {
    return REACH * ((2 * i) / (HELD_OUT - 1) - 1);
  });
  const column = (pick: 'x' | 'y') => Float32Array.from(points, (point) => point[pick]);
  return {
    goal: 'values',
    inputs: 1,
    outputs: 1,
    training: examplesOf(column('x'), 1, column('y')),
    heldOut: examplesOf(places, 1, places.map(trueCurve)),
    points,
  };
}
