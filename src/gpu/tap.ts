// What a step that is being captured hears of the device's work.
import type { HostArray } from '../core/dtype.ts';
import type { Operand } from '../core/device.ts';
import type { PooledBuffer } from './buffers.ts';
import type { Recorded } from './recording.ts';

export interface Tap {
  /** A buffer is given out. What it holds is of no use. */
  acquired(buffer: PooledBuffer): void;
  /** No tensor has a buffer any more. */
  released(buffer: PooledBuffer): void;
  /** The host has written a buffer that was given out for it. */
  uploaded(buffer: PooledBuffer, data: HostArray): void;
  /** A kernel is called: its launches come next. */
  called(args: unknown, inputs: readonly Operand[], outputs: readonly Operand[]): void;
  /** A launch or a copy is about to join the queue, or a caller's encoder. */
  added(command: Recorded): void;
}
