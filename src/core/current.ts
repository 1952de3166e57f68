// The device of tensors that name none: the one of the latest `init()`, or the CPU before any.
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

/** Whether it is the CPU that tensors were made on as `init()` had not been called. */
export function isBeforeInit(device: Device): boolean {
  return device === beforeInit;
}
