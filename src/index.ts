// The public names.
export { noGrad } from './autograd.ts';
export type { Device, DeviceLostDetails, DeviceStats } from './device.ts';
export type { DType } from './dtype.ts';
export * from './errors.ts';
export { init, type InitOptions } from './init.ts';
export * from './ops.ts';
export { scope } from './scope.ts';
export { tensor, Tensor, type FromBufferOptions, type TensorData, type TensorOptions } from './tensor.ts';
