// @ts-check
// In: nothing. Out: the ops and libraries that are measured, for the page and for the program that opens it.

export const ELEMENTWISE = /** @type {const} */ ([
  'relu',
  'leakyRelu',
  'gelu',
  'geluTanh',
  'tanh',
  'sigmoid',
  'silu',
  'softplus',
  'reluGrad',
  'biasGelu',
  'mse',
]);
export const ROWWISE = /** @type {const} */ ([
  'softmax',
  'logSoftmax',
  'crossEntropy',
  'crossEntropyGrad',
]);

/** The first of each list is the floor of its times. */
export const GPU_LIBRARIES = /** @type {const} */ (['copy', 'nonlin', 'tfjs', 'ort', 'jax']);
export const CPU_LIBRARIES = /** @type {const} */ ([
  'memcpy',
  'nonlin-cpu',
  'tfjs-cpu',
  'tfjs-wasm',
]);
/** This library in another checkout, on each backend: the floor of a run with `--before`. */
export const BEFORE = /** @type {const} */ (['before', 'before-cpu']);
/** Libraries, and the baseline, whose start and calls are measured. */
export const STARTED = /** @type {const} */ (['hand-written', 'nonlin', 'tfjs', 'ort', 'jax']);
