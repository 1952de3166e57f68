// Takes a device and three activations, and gives three networks that learn the same two spirals side by side, with what
// each says of the plane so far.
import type { Device } from 'nonlin';
import { breathe } from '../../training/breathe.ts';
import { OPTIMIZERS } from '../../training/optimizers.ts';
import { DEFAULTS } from '../../training/settings.ts';
import { spiralsTask } from '../../training/tasks/spirals.ts';
import { Trainer } from '../../training/trainer.ts';
import { placesOf } from '../train/panels/boundary.ts';
import { activationOf, LOSS, type Name } from './choices.ts';

const TASK = spiralsTask();
/** Pictures are small: of the points one in three is drawn. */
const SHOWN = [...TASK.points.labels.keys()].filter((i) => i % 3 === 0);
export const DRAWN = {
  points: {
    x: Float32Array.from(SHOWN.flatMap((i) => [...TASK.points.x.subarray(2 * i, 2 * i + 2)])),
    labels: Uint8Array.from(SHOWN, (i) => TASK.points.labels[i] ?? 0),
  },
};
const GRID = 40;
const PLACES = placesOf(GRID);
/** Between two pictures: often enough to seem to move, and most of the time is left for learning. */
const PICTURE_MS = 150;

const SETTINGS = {
  ...DEFAULTS,
  width: 24,
  layers: 3,
  batchSize: 60,
  epochs: 40,
  learningRate: 4 * OPTIMIZERS.adam.learningRate,
  seed: 2,
};

/** How one of the networks is doing. */
export interface Standing {
  readonly name: Name;
  /** Of the second spiral at each place of a grid; undefined before the first picture. */
  readonly shares: Float32Array | undefined;
  /** On points that it has not seen. */
  readonly accuracy: number | undefined;
}

export interface RaceEvents {
  /** New standings, of a step of so many. */
  readonly moved: (standings: readonly Standing[], step: number, steps: number) => void;
  readonly ended: () => void;
  readonly failed: (error: unknown) => void;
}

export class Race {
  readonly #events: RaceEvents;
  #stopped = false;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;

  /** Starts at once. */
  constructor(device: Device, names: readonly Name[], events: RaceEvents) {
    this.#events = events;
    this.#run(device, names).catch((error: unknown) => {
      // of a race that nobody watches any more, or whose device is gone
      if (!this.#stopped) events.failed(error);
    });
  }

  pause(): void {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gate ??= { opened, open };
  }

  resume(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.resume();
  }

  async #run(device: Device, names: readonly Name[]): Promise<void> {
    const trainers: Trainer[] = [];
    try {
      for (const name of names) {
        const settings = { ...SETTINGS, activation: name };
        const activation = activationOf(name);
        const options = { settings, activation, loss: LOSS, task: TASK, device, breathe };
        trainers.push(await Trainer.create(options));
      }
      await this.#learn(trainers, names);
    } finally {
      for (const trainer of trainers) trainer.dispose();
    }
  }

  async #learn(trainers: readonly Trainer[], names: readonly Name[]): Promise<void> {
    const accuracies: (number | undefined)[] = names.map(() => undefined);
    const going = new Map(trainers.map((trainer, i) => [i, trainer.train()]));
    let drawn = -Infinity;
    while (going.size > 0) {
      for (const [i, reports] of going) {
        await this.#gate?.opened;
        if (this.#stopped) return;
        const { done, value } = await reports.next();
        if (done) going.delete(i);
        else if (value.kind === 'epoch') accuracies[i] = value.heldOut.accuracy;
      }
      if (going.size > 0 && performance.now() - drawn < PICTURE_MS) continue;
      const standings: Standing[] = [];
      for (const [i, trainer] of trainers.entries()) {
        const shares = await trainer.predict(PLACES);
        if (this.#stopped) return;
        standings.push({
          name: names[i] ?? 'relu',
          shares: shares.filter((_, k) => k % 2 === 1),
          accuracy: accuracies[i],
        });
      }
      drawn = performance.now();
      const [first] = trainers;
      this.#events.moved(standings, first?.step ?? 0, first?.steps ?? 0);
    }
    this.#events.ended();
  }
}
