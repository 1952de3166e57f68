// Checks that need no test runner: a name and a function that throws where something is not as it should be.

export interface Check<Context> {
  readonly name: string;
  readonly run: (context: Context) => void | Promise<void>;
}

export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Compares plain data: numbers, strings, arrays, and objects whose keys are in the same order. */
export function ensureEqual(value: unknown, expected: unknown, what: string): void {
  const [is, wanted] = [JSON.stringify(value), JSON.stringify(expected)];
  ensure(is === wanted, `${what}: ${is}, expected ${wanted}`);
}

type ErrorClass = abstract new (...args: never[]) => Error;

function ensureKind(error: unknown, kind: ErrorClass): void {
  ensure(error instanceof kind, `expected ${kind.name}, got ${String(error)}`);
}

export function ensureThrows(call: () => unknown, kind: ErrorClass): void {
  let thrown: unknown = 'no error';
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  ensureKind(thrown, kind);
}

export async function ensureRejects(wait: Promise<unknown>, kind: ErrorClass): Promise<void> {
  const thrown: unknown = await wait.then(
    () => 'no error',
    (error: unknown) => error,
  );
  ensureKind(thrown, kind);
}
