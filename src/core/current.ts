// The device of tensors for which no device is named: that of the latest `init()`, or the CPU before the first.
import { CpuDevice } from '../cpu/device.ts';
import type { Device } from './device.ts';

let current: Device | null = null;
let beforeInit: Device | null = null;

export function currentDevice(): Device {
  return (current ??= beforeInit = new CpuDevice());
}

export function setCurrentDevice(device: Device): void {
  current = device;
}

/** Whether it is the CPU device on which tensors were made before `init()` was called. */
export function isBeforeInit(device: Device): boolean {
  return device === beforeInit;
}
