// What a call that must be refused is, in plain data.
import type { Device } from '../../src/index.ts';
import type { ErrorClass } from '../calls/wrong.ts';

export interface Devices {
  readonly device: Device;
  readonly other: Device;
  readonly backend: 'cpu' | 'webgpu';
}

export interface Refusal {
  /** Completes "refuses". */
  readonly name: string;
  readonly op: string;
  /** The argument named in the error; none where it is left out. */
  readonly argument?: string;
  readonly error: ErrorClass;
  /** Makes what the call needs, and returns the call. It may return a promise. */
  readonly given: (devices: Devices) => () => unknown;
  /** A part of the message. */
  readonly says?: string;
  /** Where only one kind of device is asked. */
  readonly on?: 'cpu' | 'webgpu';
}

/** A value that no type allows: what a caller in JavaScript may pass. */
export function junk(value: unknown): never {
  return value as never;
}
