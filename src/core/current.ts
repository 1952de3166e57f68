// The device of tensors for which no device is named: that of the latest `init()`, or the CPU before the first.
import { openCpu } from '../cpu/optional.ts';
import { called } from './calling.ts';
import type { Device } from './device.ts';
import { DeviceUnavailableError } from './errors.ts';

let current: Device | null = null;
let beforeInit: Device | null = null;

export function currentDevice(): Device {
  current ??= beforeInit = openCpu();
  if (current) return current;
  throw new DeviceUnavailableError({
    op: called() ?? 'tensor',
    argument: 'device',
    expected: 'a device: call init() first',
    received: 'none, and an app without the CPU path',
  });
}

export function setCurrentDevice(device: Device): void {
  current = device;
}

/** Whether it is the CPU device on which tensors were made before `init()` was called. */
export function isBeforeInit(device: Device): boolean {
  return device === beforeInit;
}
