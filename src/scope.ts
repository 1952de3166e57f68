// In: a function that makes tensors. Out: its result; every other tensor it made is disposed.
import type { Tensor } from './tensor.ts';
import { checkSynchronous } from './validate-options.ts';

let current: Set<Tensor> | null = null;

/** @internal Notes a new tensor in the running scope. */
export function track(tensor: Tensor): void {
  current?.add(tensor);
}

/** @internal Takes a tensor out of the running scope: it lives until disposed or collected. */
export function keep(tensor: Tensor): Tensor {
  current?.delete(tensor);
  return tensor;
}

/** @internal Runs `fn`; where it throws, the tensors made inside are disposed. */
export function undone<T>(fn: () => T): T {
  const outer = current;
  const inner = new Set<Tensor>();
  current = inner;
  try {
    const result = fn();
    if (outer) for (const tensor of inner) outer.add(tensor);
    return result;
  } catch (error) {
    for (const tensor of inner) tensor.dispose();
    throw error;
  } finally {
    current = outer;
  }
}

/**
 * Runs `fn` and disposes the tensors made inside that are neither in its result (a tensor, or arrays and plain objects
 * of them) nor held as a `grad`. Scopes nest. `fn` is synchronous: an `async` one is refused, since other code would
 * run in its scope.
 */
export function scope<T>(fn: () => T): T {
  const outer = current;
  const inner = new Set<Tensor>();
  current = inner;
  let kept: Iterable<Tensor> = [];
  try {
    const result = fn();
    checkSynchronous('scope', result);
    kept = [...tensorsIn(result, inner)];
    return result;
  } finally {
    current = outer;
    for (const tensor of kept) {
      inner.delete(tensor);
      outer?.add(tensor);
    }
    for (const tensor of inner) tensor.dispose();
  }
}

/** The members of `known` reachable from a result. */
function* tensorsIn(value: unknown, known: ReadonlySet<Tensor>): Generator<Tensor> {
  if (typeof value !== 'object' || value === null) return;
  if (known.has(value as Tensor)) {
    yield value as Tensor;
  } else if (Array.isArray(value)) {
    for (const item of value) yield* tensorsIn(item, known);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) yield* tensorsIn(item, known);
  }
}
