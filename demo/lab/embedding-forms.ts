// What losses of rankings and embeddings take as their tensors, in forms where one number moves, for their pictures.
import { tensor, type Device, type Tensor } from 'nonlin';
import { filled, indices, itself, repeated, share, SIGNS, type Form } from './loss-form.ts';

const pointAt = (angle: number): [number, number] => [Math.cos(angle), Math.sin(angle)];

/** The slope along the angle of a point, from those along its coordinates. */
const aroundCircle = (gradient: Float32Array, at: number, angle: number): number =>
  -Math.sin(angle) * (gradient[at] ?? NaN) + Math.cos(angle) * (gradient[at + 1] ?? NaN);

const angle: Form = {
  name: 'angle',
  group: 'Rankings and embeddings',
  axis: 'angle between the two, in radians',
  range: [0.01, Math.PI - 0.01],
  setting: SIGNS,
  names: ['input1', 'input2', 'target'],
  input: (x) => ({
    values: Float32Array.from({ length: 2 * x.length }, (_, i) =>
      (i % 2 === 0 ? Math.cos : Math.sin)(x[i >> 1] ?? 0),
    ),
    shape: [x.length, 2],
  }),
  args: (moving, n, sign, device) => [moving, repeated([1, 0], n, device), filled(n, sign, device)],
  along: (gradient, i, x) => aroundCircle(gradient, 2 * i, x),
};

/**
 * A batch of embeddings on the circle, compared with each other: the first turns away from its partner, which is at 0. `others` are
 * the angles of those behind it, where `rival` is the setting.
 */
const circle = ({
  others,
  ...form
}: Pick<Form, 'name' | 'axis' | 'names' | 'given' | 'args'> & {
  readonly others: (rival: number) => readonly number[];
}): Form => ({
  ...form,
  group: 'Rankings and embeddings',
  range: [-3.1, 3.1],
  setting: { name: 'rival', label: 'angle of the others', value: 2, min: 0.1, max: 3.1, step: 0.1 },
  apart: true,
  input: (x, rival) => {
    const values = [...x].flatMap((angle) => [angle, ...others(rival)].flatMap(pointAt));
    return { values: Float32Array.from(values), shape: [values.length / 2, 2] };
  },
  along: (gradient, i, angle, rival) =>
    aroundCircle(gradient, 2 * i * (1 + others(rival).length), angle),
});

/** Embeddings at angles. */
const around = (angles: readonly number[], device: Device): Tensor =>
  tensor(angles.map(pointAt), { device });

/** Two pairs: a partner at 0 of the one that turns, and one that agrees, at the angle of the setting. */
const pairs = (form: Pick<Form, 'name' | 'axis' | 'names' | 'given'>): Form =>
  circle({
    ...form,
    others: (rival) => [rival],
    args: (moving, _n, rival, device) => [moving, around([0, rival], device)],
  });

export const EMBEDDING_FORMS = {
  ranking: {
    name: 'ranking',
    group: 'Rankings and embeddings',
    axis: 'score of the first (score of the second: 0)',
    range: [-4, 4],
    setting: SIGNS,
    names: ['input1', 'input2', 'target'],
    input: itself,
    args: (moving, n, sign, device) => [moving, filled(n, 0, device), filled(n, sign, device)],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  angle,
  similar: {
    name: 'similar',
    group: 'Rankings and embeddings',
    axis: 'distance between the two',
    range: [0.05, 3],
    setting: share(1),
    names: ['x1', 'x2', 'target'],
    input: (x) => ({
      values: Float32Array.from({ length: 2 * x.length }, (_, i) =>
        i % 2 === 0 ? (x[i >> 1] ?? 0) : 0,
      ),
      shape: [x.length, 2],
    }),
    args: (moving, n, similar, device) => [
      moving,
      repeated([0, 0], n, device),
      filled(n, similar, device),
    ],
    along: (gradient, i) => gradient[2 * i] ?? NaN,
  },
  triplet: {
    name: 'triplet',
    group: 'Rankings and embeddings',
    axis: 'distance of the positive from the anchor',
    range: [0.05, 4],
    setting: {
      name: 'negative',
      label: 'distance of the negative',
      value: 1.5,
      min: 0.1,
      max: 4,
      step: 0.1,
    },
    names: ['anchor', 'positive', 'negative'],
    input: (x) => ({
      values: Float32Array.from({ length: 2 * x.length }, (_, i) =>
        i % 2 === 0 ? (x[i >> 1] ?? 0) : 0,
      ),
      shape: [x.length, 2],
    }),
    args: (moving, n, far, device) => [
      repeated([0, 0], n, device),
      moving,
      repeated([0, far], n, device),
    ],
    along: (gradient, i) => gradient[2 * i] ?? NaN,
  },
  /** A query that turns away from its positive, of the same direction for all; negatives are the loss's to add. */
  query: {
    ...angle,
    name: 'query',
    axis: 'angle between query and positive, in radians',
    setting: {
      name: 'length',
      label: 'length of the positive',
      value: 1,
      min: 0.1,
      max: 3,
      step: 0.1,
    },
    names: ['query', 'positive'],
    args: (moving, n, length, device) => [moving, repeated([length, 0], n, device)],
  },
  images: pairs({
    name: 'images',
    axis: 'angle between an image and its text, in radians',
    names: ['image', 'text'],
  }),
  views: pairs({
    name: 'views',
    axis: 'angle between two views of an example, in radians',
    names: ['z1', 'z2'],
    given: { reduction: 'mean' },
  }),
  labelled: circle({
    name: 'labelled',
    axis: 'angle between two features of one label, in radians',
    names: ['features', 'labels'],
    given: { reduction: 'mean' },
    others: (rival) => [0, rival],
    args: (moving, _n, _rival, device) => [moving, indices([0, 0, 1], 1, device, [3])],
  }),
} satisfies Record<string, Form>;
