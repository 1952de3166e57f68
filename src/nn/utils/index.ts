// Helpers of training, under PyTorch's names.
export { clipGradNorm, clipGradValue, getTotalNorm, type TotalNormOptions } from './clip-grad.ts';
