// Writes elements of the host into a buffer, and watches that write for errors.
import type { HostArray } from '../core/dtype.ts';
import type { PooledBuffer } from './buffers.ts';
import type { Faults } from './faults.ts';

/**
 * Writes of at least this many bytes into existing memory are watched, because the browser needs as much memory for
 * itself.
 */
const WATCHED = 256 * 1024;

/** Writes into a buffer that no pending command uses. */
export function writeElements(
  queue: GPUQueue,
  faults: Faults,
  buffer: PooledBuffer,
  data: HostArray,
): void {
  const whole = data.byteLength - (data.byteLength % 4);
  const write = (): void => {
    // Deno ends the process on a write from an empty buffer
    if (whole > 0) queue.writeBuffer(buffer.gpu, 0, data.buffer, data.byteOffset, whole);
    if (whole < data.byteLength && data instanceof Uint16Array) {
      queue.writeBuffer(buffer.gpu, whole, new Uint16Array([data.at(-1) ?? 0, 0]));
    }
  };
  if (buffer.birth?.error === null) buffer.birth = null;
  buffer.fate = buffer.run = null;
  buffer.noted = -1;
  if (buffer.birth) {
    faults.watch('tensor', ({ fate, again }) => {
      write();
      again.push(() => {
        if (!buffer.gone) write();
      });
      buffer.fate = fate;
    });
  } else if (data.byteLength < WATCHED) {
    write();
  } else {
    const scopes = faults.open('tensor');
    write();
    faults.close(scopes);
    buffer.fate = scopes.fate;
  }
}
