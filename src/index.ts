// The public names.
export { noGrad } from './core/autograd.ts';
export { checkGradient, type GradientCheck, type GradientCheckOptions } from './check-gradient.ts';
export {
  defineActivation,
  type Activation,
  type ActivationDeclaration,
} from './define/activation.ts';
export { defineLoss, type Loss, type LossDeclaration, type Reduction } from './define/loss.ts';
export { activationModule, lossModule } from './define/module.ts';
export type { Device, DeviceLostDetails, DeviceStats } from './core/device.ts';
export type { DType } from './core/dtype.ts';
export * from './core/errors.ts';
export type { TensorData } from './core/host-data.ts';
export { init, type InitOptions } from './init.ts';
export { add, div, mul, sub } from './math/arithmetic.ts';
export { dropout, type DropoutOptions } from './math/dropout.ts';
export { linear, type LinearOptions } from './math/linear.ts';
export { matmul, type OutOption } from './math/matmul.ts';
export { mean, sum, type ReduceOptions } from './math/reduce.ts';
export { reshape } from './math/reshape.ts';
export * as nn from './nn/index.ts';
export * from './ops.ts';
export * as optim from './optim/index.ts';
export { manualSeed } from './core/random.ts';
export * as safetensors from './safetensors.ts';
export { scope } from './core/scope.ts';
export { tensor, Tensor, type FromBufferOptions, type TensorOptions } from './core/tensor.ts';
export * as wgsl from './shader/wgsl.ts';
