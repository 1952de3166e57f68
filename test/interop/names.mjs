// @ts-check
/** The examples with other libraries, which the long lane `interop` runs; the package lane runs the rest. */
export const WITH_OTHERS = [
  'react',
  'onnxruntime-web',
  'transformers-js',
  'tensorflow-js',
  'typegpu',
  'three-js',
];
