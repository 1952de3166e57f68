// Calls of ops with kernels of their own, for both runners of plans: by name, beside those that follow from an op's family.
import type { Case } from './plans.ts';

const none = { gradients: [] };
const REDUCTIONS = ['mean', 'sum', 'none'] as const;

function norms(op: string, shapes: readonly number[][], options: Record<string, unknown>): Case[] {
  return shapes.flatMap((shape) => {
    const channels = [shape[1] ?? 1];
    const both = { weight: channels, bias: channels };
    return [
      { op, shape, options },
      { op, shape, options, shapes: both, gradients: ['input', 'weight', 'bias'] },
      { op, shape, options, shapes: { bias: channels }, gradients: ['bias'] },
      { op, shape, options, shapes: both, ...none },
    ];
  });
}

/** Norms with given statistics. */
function given(op: string, options: Record<string, unknown>): Case[] {
  const shapes = { weight: [4], bias: [4], runningMean: [4], runningVar: [4] };
  const shape = [3, 4, 6];
  return [
    { op, shape, options, shapes, gradients: ['input', 'weight', 'bias'] },
    { op, shape, options, shapes, ...none },
  ];
}

function boxes(op: string): Case[] {
  return [
    ...REDUCTIONS.map((reduction) => ({ op, shape: [6, 4], options: { reduction } })),
    { op, shape: [4], ...none },
    { op, shape: [6, 4], options: { reduction: 'mean' }, fused: false },
  ];
}

/** What the device does not compute anew for another gradOutput in float32, but multiplies. */
const scaled = { scaled: true } as const;

function pairs(op: string, options: readonly Record<string, unknown>[], others: Case[]): Case[] {
  return [
    ...options.map((one) => ({ op, shape: [6, 12], options: one, ...scaled })),
    { op, shape: [6, 12], ...none },
    ...others.map((one) => ({ ...one, ...scaled })),
  ];
}

function regions(op: string): Case[] {
  return [
    ...REDUCTIONS.map((reduction) => ({ op, shape: [2, 3, 10], options: { reduction } })),
    { op, shape: [2, 3, 10], options: { mode: 'multilabel' }, dtypes: { target: 'float32' } },
    { op, shape: [2, 1, 10], options: { mode: 'binary' }, dtypes: { target: 'float32' } },
    { op, shape: [2, 3, 10], options: { fromLogits: false }, ...none },
    { op, shape: [2, 3, 10], fused: false },
  ];
}

const both = { gradients: ['input', 'up'] };
const pair = { shape: [6, 10], shapes: { up: [6, 10] } };
const MATRIX = [6, 12];
const reductions = REDUCTIONS.map((reduction) => ({ reduction }));

export const OWN_CASES: Readonly<Record<string, readonly Case[]>> = {
  prelu: [
    { op: 'prelu', shape: [6, 10] },
    { op: 'prelu', shape: [6, 10], gradients: ['input', 'weight'] },
    { op: 'prelu', shape: [3, 4, 5], shapes: { weight: [4] }, gradients: ['input', 'weight'] },
    { op: 'prelu', shape: [3, 4, 5], shapes: { weight: [4, 5] }, gradients: ['weight'] },
    { op: 'prelu', shape: [5, 7], ...none },
  ],
  rrelu: [
    { op: 'rrelu', shape: [6, 10] },
    { op: 'rrelu', shape: [5, 7], options: { lower: 0.1, upper: 0.2 }, ...none },
  ],
  snake: [
    { op: 'snake', shape: [6, 10], options: { alpha: 0.5 } },
    { op: 'snake', shape: [3, 4, 5], shapes: { alpha: [4] }, gradients: ['input', 'alpha'] },
    { op: 'snake', shape: [5, 7], shapes: { alpha: [1] }, ...none },
  ],
  geglu: [
    { op: 'geglu', ...pair, ...both, options: { approximate: 'tanh' } },
    { op: 'geglu', ...pair },
    { op: 'geglu', ...pair, ...none },
  ],
  reglu: [{ op: 'reglu', ...pair, ...both }],
  swiglu: [
    { op: 'swiglu', ...pair, ...both, options: { alpha: 1.702, limit: 0.7, offset: 1 } },
    { op: 'swiglu', ...pair, gradients: ['up'] },
  ],
  groupNorm: norms('groupNorm', [[3, 4, 6], [2, 6, 300]], { numGroups: 2 }), // prettier-ignore
  instanceNorm: [
    ...norms('instanceNorm', [[3, 4, 6], [2, 3, 700]], { eps: 0.01 }), // prettier-ignore
    ...given('instanceNorm', { useInputStats: false }),
  ],
  batchNorm: [
    ...norms('batchNorm', [[3, 4, 6], [8, 5], [2, 3, 500]], { training: true }), // prettier-ignore
    ...given('batchNorm', {}),
  ],
  multiMarginLoss: [
    ...reductions.map((options) => ({ op: 'multiMarginLoss', shape: MATRIX, options })),
    { op: 'multiMarginLoss', shape: [4, 600], shapes: { weight: [600] }, options: { p: 2 } },
    { op: 'multiMarginLoss', shape: [7], ...none },
    { op: 'multiMarginLoss', shape: MATRIX, fused: false },
  ],
  multilabelMarginLoss: [
    ...reductions.map((options) => ({ op: 'multilabelMarginLoss', shape: MATRIX, options })),
    { op: 'multilabelMarginLoss', shape: [7], ...none },
  ],
  multilabelSoftMarginLoss: [
    ...reductions.map((options) => ({ op: 'multilabelSoftMarginLoss', shape: MATRIX, options })),
    {
      op: 'multilabelSoftMarginLoss',
      shape: MATRIX,
      shapes: { weight: [12] },
      gradients: ['input', 'target'],
    },
  ],
  completeBoxIouLoss: boxes('completeBoxIouLoss'),
  distanceBoxIouLoss: boxes('distanceBoxIouLoss'),
  generalizedBoxIouLoss: boxes('generalizedBoxIouLoss'),
  contrastiveLoss: [
    ...reductions.map((options) => ({
      op: 'contrastiveLoss',
      shape: MATRIX,
      options,
      gradients: ['x1', 'x2'],
    })),
    { op: 'contrastiveLoss', shape: [5, 7], options: { margin: 2 }, ...none },
  ],
  clipLoss: pairs(
    'clipLoss',
    [{}, { logitScale: 3 }],
    [
      {
        op: 'clipLoss',
        shape: [6, 12],
        shapes: { logitScale: [] },
        gradients: ['image', 'text', 'logitScale'],
      },
    ],
  ),
  sigLipLoss: pairs(
    'sigLipLoss',
    [{ logitScale: 2, logitBias: -1 }],
    [
      {
        op: 'sigLipLoss',
        shape: [6, 12],
        shapes: { logitScale: [], logitBias: [] },
        gradients: ['text', 'logitScale', 'logitBias'],
      },
    ],
  ),
  infoNceLoss: pairs('infoNceLoss', reductions, [
    {
      op: 'infoNceLoss',
      shape: [6, 12],
      shapes: { negatives: [9, 12] },
      gradients: ['query', 'positive', 'negatives'],
    },
    { op: 'infoNceLoss', shape: [6, 12], options: { normalize: false }, fused: false },
  ]),
  ntXentLoss: pairs('ntXentLoss', reductions, [
    { op: 'ntXentLoss', shape: [5, 7], gradients: ['z1', 'z2'] },
  ]),
  supConLoss: pairs('supConLoss', reductions, [{ op: 'supConLoss', shape: [4, 2, 8] }]),
  diceWithLogits: regions('diceWithLogits'),
  jaccardLoss: regions('jaccardLoss'),
  tverskyLoss: regions('tverskyLoss'),
  focalTverskyLoss: regions('focalTverskyLoss'),
  pairwiseDistance: [
    { op: 'pairwiseDistance', shape: MATRIX, gradients: ['x1', 'x2'] },
    { op: 'pairwiseDistance', shape: [5, 7], options: { p: 1, keepdim: true } },
    { op: 'pairwiseDistance', shape: [6, 8], shapes: { x2: [8] }, gradients: ['x1', 'x2'] },
    { op: 'pairwiseDistance', shape: [8], shapes: { x2: [6, 8] } },
    { op: 'pairwiseDistance', shape: MATRIX, ...none },
  ],
  cosineSimilarity: [
    { op: 'cosineSimilarity', shape: MATRIX, gradients: ['x1', 'x2'] },
    { op: 'cosineSimilarity', shape: [3, 4, 5], options: { dim: -1 }, gradients: ['x2'] },
    {
      op: 'cosineSimilarity',
      shape: [2, 4, 5],
      shapes: { x2: [4, 5] },
      gradients: ['x1', 'x2'],
    },
    { op: 'cosineSimilarity', shape: MATRIX, ...none },
  ],
  cosineEmbeddingLoss: [
    ...reductions.map((options) => ({
      op: 'cosineEmbeddingLoss',
      shape: MATRIX,
      options,
      gradients: ['input1', 'input2'],
    })),
    { op: 'cosineEmbeddingLoss', shape: [7], options: { margin: 0.5 } },
    {
      op: 'cosineEmbeddingLoss',
      shape: MATRIX,
      shapes: { input2: [1, 12] },
      options: { reduction: 'none' },
      gradients: ['input1', 'input2'],
    },
    {
      op: 'cosineEmbeddingLoss',
      shape: [1, 12],
      shapes: { target: [6] },
      fused: false,
    },
    { op: 'cosineEmbeddingLoss', shape: MATRIX, ...none },
  ],
  tripletMarginLoss: [
    ...reductions.map((options) => ({
      op: 'tripletMarginLoss',
      shape: MATRIX,
      options,
      gradients: ['anchor', 'positive', 'negative'],
    })),
    { op: 'tripletMarginLoss', shape: [5, 7], options: { swap: true, p: 3 } },
    {
      op: 'tripletMarginLoss',
      shape: MATRIX,
      shapes: { negative: [1, 12] },
      options: { reduction: 'none' },
      gradients: ['anchor', 'negative'],
    },
    { op: 'tripletMarginLoss', shape: [7], ...none },
  ],
  gaussianNllLoss: [
    ...reductions.map((options) => ({ op: 'gaussianNllLoss', shape: MATRIX, options })),
    {
      op: 'gaussianNllLoss',
      shape: MATRIX,
      shapes: { variance: [6] },
      options: { full: true },
      gradients: ['input', 'target', 'variance'],
      // The sum of the variance's gradient comes behind, where it is asked for.
      fused: false,
    },
    { op: 'gaussianNllLoss', shape: MATRIX, shapes: { variance: [] } },
    { op: 'gaussianNllLoss', shape: [5, 7], ...none },
  ],
  coxPhLoss: [
    ...reductions.map((options) => ({ op: 'coxPhLoss', shape: [9], options })),
    { op: 'coxPhLoss', shape: [3000] },
    { op: 'coxPhLoss', shape: [9], fused: false },
    { op: 'coxPhLoss', shape: [9], ...none },
  ],
  diceLoss: [
    ...reductions.map((options) => ({
      op: 'diceLoss',
      shape: [3, 4, 10],
      options,
      gradients: ['input', 'target'],
    })),
    { op: 'diceLoss', shape: [2, 3000], options: { eps: 0.5 } },
    { op: 'diceLoss', shape: [7], gradients: ['target'], fused: false },
    { op: 'diceLoss', shape: MATRIX, ...none },
  ],
  normalize: [
    { op: 'normalize', shape: MATRIX },
    { op: 'normalize', shape: [3, 5, 7], options: { p: 1, dim: 0 } },
    { op: 'normalize', shape: [2, 700], options: { dim: -1 }, ...none },
  ],
  localResponseNorm: [
    { op: 'localResponseNorm', shape: [2, 5, 3], options: { size: 3 } },
    { op: 'localResponseNorm', shape: [1, 4, 6], options: { size: 2, alpha: 1, k: 2 } },
    { op: 'localResponseNorm', shape: [2, 5, 3], options: { size: 5 }, ...none },
  ],
  ctcLoss: [
    ...reductions.map((options) => ({
      op: 'ctcLoss',
      shape: [5, 2, 4],
      shapes: { targets: [2, 2] },
      options,
    })),
    { op: 'ctcLoss', shape: [5, 2, 4], shapes: { targets: [3] }, options: { zeroInfinity: true } },
    { op: 'ctcLoss', shape: [5, 2, 4], shapes: { targets: [2, 2] }, ...none },
  ],
};
