// Runs work that needs host memory, and turns a failed allocation into an OutOfMemoryError that names the op and the bytes.
import { OutOfMemoryError } from './errors.ts';

/** The number of bytes to allocate for `bytes`. There are 16 sizes per power of two, so that at most 1/16 is unused and buffers can be reused. */
export function sizeClass(bytes: number, least = 256): number {
  // So many bytes do not exist, and numbers of this size are not exact.
  if (!(bytes <= Number.MAX_SAFE_INTEGER)) return Infinity;
  const step = Math.max(least, 2 ** Math.floor(Math.log2(Math.max(bytes, 1))) / 16);
  return Math.max(least, Math.ceil(bytes / step) * step);
}

/** Runs `work`, which needs about `bytes` on the host. */
export function allocating<T>(op: string, bytes: number, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw memoryError(op, bytes, cause);
  }
}

/**
 * JavaScript engines throw a RangeError if there is no memory. This makes an OutOfMemoryError of it. Other errors are
 * returned as they are.
 */
export function memoryError(op: string, bytes: number, cause: unknown): unknown {
  // V8: "Array buffer allocation failed", "Invalid typed array length: n"; others: "invalid array length", "Out of memory".
  if (!(cause instanceof RangeError && /memory|allocat|length/i.test(cause.message))) return cause;
  return new OutOfMemoryError(
    { op, expected: 'as much memory as can be had here', received: `${bytes} bytes` },
    { cause },
  );
}
