/**
 * Initial values of weights, under PyTorch's names.
 *
 * @module
 */
export {
  constant_,
  dirac_,
  eye_,
  normal_,
  ones_,
  sparse_,
  truncNormal_,
  uniform_,
  zeros_,
} from './plain.ts';
export {
  calculateGain,
  kaimingNormal_,
  kaimingUniform_,
  orthogonal_,
  xavierNormal_,
  xavierUniform_,
  type KaimingOptions,
  type Nonlinearity,
  type XavierOptions,
} from './scaled.ts';
