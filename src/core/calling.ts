// Remembers which op the user called, so that errors of its kernels can name this op.

let current: string | null = null;

/** The op that was called, or whose gradient is being computed. */
export function called(): string | null {
  return current;
}

/** Runs `fn` as a part of an op. If ops call other ops, errors name the one that the user called. */
export function calling<T>(op: string, fn: () => T): T {
  if (current !== null) return fn();
  current = op;
  try {
    return fn();
  } finally {
    current = null;
  }
}
