// What a GPT and its training can be set to. Imports nothing: pages that only show settings need no more of it.

export const ACTIVATIONS = ['gelu', 'reluSquared', 'swiglu'] as const;
export const NORMS = ['layerNorm', 'rmsNorm'] as const;
export const POSITIONS = ['rotary', 'learned'] as const;

export interface GptConfig {
  /** Number of different tokens. */
  readonly vocabulary: number;
  /** Number of tokens that the model sees at a time. */
  readonly context: number;
  readonly layers: number;
  /** Numbers per token; a multiple of `heads`. */
  readonly width: number;
  readonly heads: number;
  /** The probability of dropping a number of what a block adds. */
  readonly dropout: number;
  readonly activation: (typeof ACTIVATIONS)[number];
  readonly norm: (typeof NORMS)[number];
  readonly positions: (typeof POSITIONS)[number];
}

/** How it is trained. */
export interface WriterSettings {
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly maxNorm: number;
  readonly seed: number;
  /** Steps between two tests on held-out text. */
  readonly testEvery: number;
}

export const DEFAULTS: WriterSettings = {
  steps: 500,
  batchSize: 16,
  learningRate: 1e-3,
  weightDecay: 0.1,
  maxNorm: 1,
  seed: 1,
  testEvery: 100,
};
