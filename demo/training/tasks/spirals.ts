// Takes a seed, and gives two interleaved spirals in the plane, and the task of telling which one a point is of.
import { generator } from '../random.ts';
import { examplesOf, type Task } from '../task.ts';

const TRAINING = 600;
const HELD_OUT = 300;
/** Turns of each spiral, and how far its points stray from it. */
const TURNS = 1.25;
const STRAY = 0.035;
/** The plane that is drawn reaches so far from its middle. */
export const REACH = 1.15;

export interface Spirals extends Task {
  /** Of the training points. */
  readonly points: { readonly x: Float32Array; readonly labels: Uint8Array };
}

export function spiralsTask(seed = 1): Spirals {
  const random = generator(seed);
  const draw = (count: number) => {
    const x = new Float32Array(2 * count);
    const labels = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const label = i % 2;
      const along = Math.sqrt(random());
      const angle = along * TURNS * 2 * Math.PI + label * Math.PI;
      const stray = () => STRAY * (random() + random() + random() - 1.5) * 2;
      x[2 * i] = along * Math.cos(angle) + stray();
      x[2 * i + 1] = along * Math.sin(angle) + stray();
      labels[i] = label;
    }
    return { x, labels };
  };
  const [points, others] = [draw(TRAINING), draw(HELD_OUT)];
  return {
    goal: 'classes',
    inputs: 2,
    outputs: 2,
    training: examplesOf(points.x, 2, points.labels),
    heldOut: examplesOf(others.x, 2, others.labels),
    points,
  };
}
