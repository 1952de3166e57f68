// Remembers which op the user called, so that errors of the kernels it is made of can name it.

let current: string | null = null;

/** The op being called, or whose gradient is being computed. */
export function called(): string | null {
  return current;
}

/** Runs `fn` as a part of an op. Of ops that call others, the one that the user called counts. */
export function calling<T>(op: string, fn: () => T): T {
  if (current !== null) return fn();
  current = op;
  try {
    return fn();
  } finally {
    current = null;
  }
}
