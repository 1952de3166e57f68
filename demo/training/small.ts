// Trainings of some seconds, for networks that are watched side by side.
import { OPTIMIZERS } from './optimizers.ts';
import { DEFAULTS, type Settings } from './settings.ts';
import { spiralsTask, type Spirals } from './tasks/spirals.ts';

const task = spiralsTask();
/** Pictures are small: of the points one in three is drawn. */
const shown = [...task.points.labels.keys()].filter((i) => i % 3 === 0);

export const DRAWN: Pick<Spirals, 'points'> = {
  points: {
    x: Float32Array.from(shown.flatMap((i) => [...task.points.x.subarray(2 * i, 2 * i + 2)])),
    labels: Uint8Array.from(shown, (i) => task.points.labels[i] ?? 0),
  },
};

export const SMALL_SPIRALS: { readonly task: Spirals; readonly settings: Settings } = {
  task,
  settings: {
    ...DEFAULTS,
    width: 24,
    layers: 3,
    batchSize: 60,
    epochs: 40,
    learningRate: 4 * OPTIMIZERS.adam.learningRate,
    seed: 2,
  },
};

/** Of the digits. */
export const SMALL_DIGITS: Settings = { ...DEFAULTS, width: 64, epochs: 2 };
