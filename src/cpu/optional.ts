// The CPU path, which an app that wants WebGPU only can leave out: where its bundler is told that `__NONLIN_CPU__` is false, the
// device is dropped here, and the loops of kernels by what `scripts/optional-cpu.mjs` makes of them.
import type { Device } from '../core/device.ts';
import { CpuDevice } from './device.ts';

declare const __NONLIN_CPU__: boolean | undefined;

/** A device of the CPU, or null in an app that leaves it out. */
export function openCpu(): Device | null {
  // Bundlers compute this as it stands, not from a constant of another module.
  return typeof __NONLIN_CPU__ === 'undefined' || __NONLIN_CPU__ ? new CpuDevice() : null;
}
