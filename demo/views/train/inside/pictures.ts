// Takes a network of a task, and gives pictures of what its units hold: weights of the first layer as they lie over a
// digit's pixels, or each hidden unit's result everywhere on the plane.
import type { TaskName } from '../../../training/config.ts';
import { PIXELS, SIDE } from '../../../training/digits.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { placesOf } from '../panels/boundary.ts';

/** The units of one layer, each as a picture. */
export interface UnitPictures {
  readonly title: string;
  readonly words: string;
  readonly pictures: readonly Float32Array[];
  readonly side: number;
}

/** What there is to see of a task's networks. */
export interface PictureKind {
  readonly title: string;
  readonly help: string;
  /** Pictures in a row. */
  readonly columns: number;
  /** Pixels stay squares, as those of a digit; else they run into each other, as places of the plane. */
  readonly squares: boolean;
  take(trainer: Trainer): Promise<UnitPictures[]>;
}

/** First-layer units that are shown: two rows. */
const UNITS = 24;
const WEIGHTS: PictureKind = {
  title: 'First-layer weights',
  help: 'One picture per unit, 28 by 28 weights: blue pixels raise the unit, orange ones lower it.',
  columns: 12,
  squares: true,
  async take(trainer) {
    const values = await trainer.firstWeights(UNITS);
    const count = values.length / PIXELS;
    const pictures = Array.from({ length: count }, (_, i) =>
      values.subarray(i * PIXELS, (i + 1) * PIXELS),
    );
    const words = `The weights of ${count} units of the first layer over a digit’s pixels`;
    return [{ title: '', words, pictures, side: SIDE }];
  },
};

/** Places along a side, and units of a layer that are shown: three rows. */
const GRID = 24;
const MOST = 24;
const PLACES = /* @__PURE__ */ placesOf(GRID);
const NEURONS: PictureKind = {
  title: 'Hidden units',
  help: 'One picture per unit: its result at every point of the plane, blue above 0, orange below.',
  columns: 8,
  squares: false,
  async take(trainer) {
    const layers = await trainer.activations(PLACES);
    return layers.map((values, layer) => {
      const units = values.length / GRID ** 2;
      const shown = Math.min(MOST, units);
      const pictures = Array.from({ length: shown }, (_, unit) =>
        Float32Array.from({ length: GRID ** 2 }, (_, place) => values[place * units + unit] ?? NaN),
      );
      const some = shown < units ? `, ${shown} of ${units} units` : '';
      const title = `Layer ${layer + 1}${some}`;
      return { title, words: `${title}: results over the plane`, pictures, side: GRID };
    });
  },
};

export function picturesOf(task: TaskName): PictureKind | undefined {
  switch (task) {
    case 'digits':
    case 'autoencoder':
      return WEIGHTS;
    case 'spirals':
      return NEURONS;
    case 'regression':
      return undefined;
  }
}
