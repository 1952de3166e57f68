// Takes losses of embeddings that are compared with each other, and gives their calls.
import fc from 'fast-check';
import { ShapeError } from '../../src/index.ts';
import type { Call, TensorSpec } from './call.ts';
import { floats, magnitudes, maybe, reduction, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, classes, numbers, shaped, wrongOption, wrongShape, type Wrong } from './wrong.ts';

/** Embeddings: a few, now and then many, now and then long ones, or none. */
const ownSizes = fc.oneof(
  {
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    weight: 6,
  },
  { arbitrary: fc.tuple(fc.constantFrom(0, 65, 130), fc.constantFrom(0, 3, 4)), weight: 1 },
  { arbitrary: fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(260, 1028)), weight: 1 },
);

const sizesOf = (drawn: Drawn): fc.Arbitrary<readonly [rows: number, features: number]> =>
  sized<readonly [number, number]>(drawn, ownSizes, (r, c) => [r, c]);

/** One over the length of the shortest row, which the gradient of a row divided by its length is in units of. */
function steepness(...specs: readonly (TensorSpec | undefined)[]): number {
  let shortest = Infinity;
  for (const { shape, data } of specs.filter((spec) => spec !== undefined)) {
    const n = shape.at(-1) ?? 1;
    for (let row = 0; row * n < data.length; row++) {
      const length = Math.hypot(...data.slice(row * n, row * n + n).filter(Number.isFinite));
      shortest = Math.min(shortest, Math.max(length, 1e-12));
    }
  }
  return 1 / Math.min(shortest, 1e6);
}

/** How a call's results and gradients may be off: logits of this size are sums of products. */
function scalesOf(
  {
    scale,
    normalized,
    magnitude,
    features,
    rows,
    summed,
  }: {
    readonly scale: number;
    readonly normalized: boolean;
    readonly magnitude: number;
    readonly features: number;
    readonly rows: number;
    readonly summed: boolean;
  },
  embeddings: Readonly<Record<string, TensorSpec>>,
): Pick<Call, 'scale' | 'scales'> {
  const logits = Math.max(8, scale * (normalized ? 2 : magnitude ** 2 * features));
  const count = summed ? Math.max(rows, 1) : 1;
  const each = Object.entries(embeddings).map(([name, spec]): [string, number] => [
    name,
    4 * logits * count * scale * (normalized ? steepness(spec) : magnitude),
  ]);
  return { scale: 4 * logits * count, scales: Object.fromEntries(each) };
}

const scalar = (value: number): TensorSpec => ({ shape: [], dtype: 'float', data: [value] });

/** Pairs of images and texts, whose scale and bias are numbers or tensors. */
function pairCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const sigmoid = op === 'sigLipLoss';
  const forms = fc.record({
    tensors: fc.boolean(),
    scale: fc.constantFrom(0.5, 1, 4, 14),
    bias: fc.constantFrom(-10, 0, 2),
    given: fc.boolean(),
  });
  return fc.tuple(sizesOf(drawn), magnitudes, forms).chain(([[rows, features], magnitude, form]) =>
    fc
      .record({
        image: floats([rows, features], kind, magnitude),
        text: floats([rows, features], kind, magnitude),
      })
      .map((positional): Call => {
        const { tensors, given } = form;
        const scale = tensors || given ? form.scale : sigmoid ? 10 : 1 / 0.07;
        const bias: Call['optional'] = sigmoid ? { logitBias: scalar(form.bias) } : {};
        const numbers = { logitScale: scale, ...(sigmoid ? { logitBias: form.bias } : {}) };
        const sizes = { scale, normalized: false, magnitude, features, rows, summed: sigmoid };
        const { scales, scale: out } = scalesOf(sizes, positional);
        const product = magnitude ** 2 * features;
        return {
          op,
          positional,
          optional: tensors ? { logitScale: scalar(scale), ...bias } : {},
          options: !tensors && given ? numbers : {},
          differentiable: [
            'image',
            'text',
            ...(tensors ? ['logitScale', ...Object.keys(bias)] : []),
          ],
          scale: out,
          scales: { ...scales, logitScale: out * product, logitBias: out },
        };
      }),
  );
}

function infoNceCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const options = maybe({
    temperature: fc.constantFrom(0.125, 0.5, 1),
    normalize: fc.boolean(),
    reduction,
  });
  const negatives = fc.option(fc.constantFrom(0, 1, 5, 40), { nil: null });
  return fc
    .tuple(sizesOf(drawn), magnitudes, options, negatives)
    .chain(([[rows, features], magnitude, given, count]) =>
      fc
        .record({
          query: floats([rows, features], kind, magnitude),
          positive: floats([rows, features], kind, magnitude),
          ...(count === null ? {} : { negatives: floats([count, features], kind, magnitude) }),
        })
        .map(({ negatives: others, ...positional }): Call => {
          const normalized = given.normalize !== false;
          const embeddings = { ...positional, ...(others ? { negatives: others } : {}) };
          const summed = given.reduction !== 'mean' && given.reduction !== undefined;
          const scale = 1 / Number(given.temperature ?? 0.1);
          const sizes = { scale, normalized, magnitude, features, rows, summed };
          return {
            op,
            positional,
            optional: others ? { negatives: others } : {},
            options: given,
            differentiable: Object.keys(embeddings),
            ...scalesOf(sizes, embeddings),
          };
        }),
    );
}

function ntXentCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const options = maybe({ temperature: fc.constantFrom(0.125, 0.5, 1), reduction });
  return fc
    .tuple(sizesOf(drawn), magnitudes, options)
    .chain(([[rows, features], magnitude, given]) =>
      fc
        .record({
          z1: floats([rows, features], kind, magnitude),
          z2: floats([rows, features], kind, magnitude),
        })
        .map((positional): Call => {
          const scale = 1 / Number(given.temperature ?? 0.5);
          const summed = given.reduction !== 'mean' && given.reduction !== undefined;
          const sizes = { scale, normalized: true, magnitude, features, rows: 2 * rows, summed };
          return {
            op,
            positional,
            optional: {},
            options: given,
            differentiable: ['z1', 'z2'],
            ...scalesOf(sizes, positional),
          };
        }),
    );
}

function supConCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const options = maybe({
    temperature: fc.constantFrom(0.125, 0.5, 1),
    baseTemperature: fc.constantFrom(0.25, 1),
    normalize: fc.boolean(),
    reduction,
  });
  const forms = fc.record({
    views: fc.constantFrom(0, 1, 2, 3),
    classes: fc.constantFrom(1, 2, 4, 99),
  });
  return fc
    .tuple(sizesOf(drawn), magnitudes, options, forms)
    .chain(([[rows, features], magnitude, given, { views, classes: kinds }]) => {
      const shape = views === 0 ? [rows, features] : [rows, views, features];
      return fc
        .tuple(
          floats(shape, kind, magnitude),
          fc.array(fc.integer({ min: -1, max: kinds }), { minLength: rows, maxLength: rows }),
        )
        .map(([spec, labels]): Call => {
          const normalized = given.normalize !== false;
          const temperature = Number(given.temperature ?? 0.07);
          const scale = 1 / temperature;
          const factor = temperature / Number(given.baseTemperature ?? 0.07);
          const summed = given.reduction !== 'mean' && given.reduction !== undefined;
          const all = rows * Math.max(views, 1);
          const sizes = { scale, normalized, magnitude, features, rows: all, summed };
          const { scale: out, scales } = scalesOf(sizes, { features: spec });
          return {
            op,
            positional: { features: spec, labels: { shape: [rows], dtype: 'int32', data: labels } },
            optional: {},
            options: given,
            differentiable: ['features'],
            scale: out * Math.max(factor, 1),
            scales: { features: (scales?.features ?? 0) * Math.max(factor, 1) },
          };
        });
    });
}

function contrastiveCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const options = maybe({ margin: fc.constantFrom(0, 0.5, 2), reduction });
  return fc
    .tuple(sizesOf(drawn), magnitudes, fc.nat(), options)
    .chain(([[rows, features], magnitude, first, given]) =>
      fc
        .record({
          x1: floats([rows, features], kind, magnitude),
          x2: floats([rows, features], kind, magnitude),
        })
        .map((positional): Call => {
          const target: TensorSpec = {
            shape: [rows],
            dtype: 'float',
            data: Array.from({ length: rows }, (_, i) => [1, 0, 0, 1, 0.25][(first + i) % 5] ?? 1),
          };
          const count = given.reduction === 'sum' ? Math.max(rows, 1) : 1;
          const size = 4 * Math.max(1, magnitude);
          return {
            op,
            positional: { ...positional, target },
            optional: {},
            options: given,
            differentiable: ['x1', 'x2'],
            scale: size * size * Math.max(features, 1) * count,
            scales: { x1: size, x2: size },
          };
        }),
    );
}

const wrongPairs = (first: string, second: string): Wrong[] => [
  wrongShape(second, [2, 2]),
  wrongShape(second, [3, 3]),
  wrongShape(second, [2]),
  wrongShape(first, [3]),
  wrongShape(first, [1, 2, 3]),
];
const wrongTemperature = (argument = 'temperature'): Wrong[] =>
  [0, -1, NaN, null, '1'].map((value) => wrongOption(argument, value));

export const clipFamily: Family = {
  ops: ['clipLoss'],
  adaptive: true,
  draw: pairCalls,
  valid: (op) =>
    call(
      op,
      { image: numbers([2, 3]), text: numbers([2, 3], -1) },
      { optional: { logitScale: scalar(2) } },
    ),
  resultShape: () => [],
  wrongs: () => [
    ...wrongPairs('image', 'text'),
    wrongShape('logitScale', [1]),
    wrongOption('logitScale', NaN),
  ],
};

export const sigLipFamily: Family = {
  ops: ['sigLipLoss'],
  adaptive: true,
  draw: pairCalls,
  valid: (op) =>
    call(
      op,
      { image: numbers([2, 3]), text: numbers([2, 3], -1) },
      { optional: { logitScale: scalar(2), logitBias: scalar(-1) } },
    ),
  resultShape: () => [],
  wrongs: () => [
    ...wrongPairs('image', 'text'),
    ...['logitScale', 'logitBias'].flatMap((name) => [
      wrongShape(name, [1]),
      wrongOption(name, NaN),
    ]),
  ],
};

export const infoNceFamily: Family = {
  ops: ['infoNceLoss'],
  adaptive: true,
  draw: infoNceCalls,
  valid: (op) =>
    call(
      op,
      { query: numbers([2, 3]), positive: numbers([2, 3], -1) },
      {
        optional: { negatives: numbers([4, 3], -2) },
        options: { temperature: 0.5, normalize: true, reduction: 'none' },
      },
    ),
  resultShape: () => [2],
  wrongs: () => [
    ...wrongPairs('query', 'positive'),
    wrongShape('negatives', [3]),
    wrongShape('negatives', [4, 2]),
    ...wrongTemperature(),
    wrongOption('normalize', 1),
  ],
};

export const ntXentFamily: Family = {
  ops: ['ntXentLoss'],
  adaptive: true,
  draw: ntXentCalls,
  valid: (op) =>
    call(
      op,
      { z1: numbers([2, 3]), z2: numbers([2, 3], -1) },
      { options: { temperature: 0.5, reduction: 'none' } },
    ),
  resultShape: () => [4],
  wrongs: () => [...wrongPairs('z1', 'z2'), ...wrongTemperature()],
};

export const supConFamily: Family = {
  ops: ['supConLoss'],
  adaptive: true,
  draw: supConCalls,
  valid: (op) =>
    call(
      op,
      { features: numbers([3, 2, 3], -2), labels: classes(4, -1, 4) },
      { options: { temperature: 0.5, baseTemperature: 1, normalize: true, reduction: 'none' } },
    ),
  resultShape: () => [3, 2],
  wrongs: () => [
    wrongShape('features', [3]),
    wrongShape('features', [3, 2, 3, 1]),
    wrongShape('features', [2, 3], 'labels'),
    { what: 'of other rows', argument: 'labels', value: shaped([2], 'int32'), error: ShapeError },
    { what: 'of rank 2', argument: 'labels', value: shaped([3, 2], 'int32'), error: ShapeError },
    ...wrongTemperature(),
    ...wrongTemperature('baseTemperature'),
    wrongOption('normalize', 1),
  ],
};

export const contrastiveFamily: Family = {
  ops: ['contrastiveLoss'],
  adaptive: true,
  kinked: true,
  draw: contrastiveCalls,
  valid: (op) => ({
    ...call(
      op,
      { x1: numbers([2, 3]), x2: numbers([2, 3], 0.25), target: numbers([2], 0.25) },
      { options: { margin: 2, reduction: 'none' } },
    ),
    differentiable: ['x1', 'x2'],
  }),
  resultShape: () => [2],
  wrongs: () => [
    ...wrongPairs('x1', 'x2'),
    wrongShape('target', [3]),
    wrongShape('target', [2, 1]),
    wrongShape('target', []),
    wrongOption('margin', -1),
    wrongOption('margin', NaN),
  ],
};
