/**
 * Helpers of training, under PyTorch's names.
 *
 * @module
 */
export { clipGradNorm, clipGradValue, getTotalNorm, type TotalNormOptions } from './clip-grad.ts';
