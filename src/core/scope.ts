// Runs a function and disposes every tensor that it made, except those in its result.
import type { Tensor } from './tensor.ts';
import { checkFunction, checkSynchronous, isPlain } from './validate-options.ts';

let current: Set<Tensor> | null = null;

/** @internal Adds a new tensor to the current scope. */
export function track(tensor: Tensor): void {
  current?.add(tensor);
}

/** @internal Takes a tensor out of the current scope. It then lives until it is disposed of or collected. */
export function keep(tensor: Tensor): Tensor {
  current?.delete(tensor);
  return tensor;
}

/** @internal Runs `fn`. If it throws, the tensors that it made are disposed of; inside a scope, at the end of that scope. */
export function undoneInTime<T>(fn: () => T): T {
  return current ? fn() : undone(fn);
}

/** @internal Runs `fn`. If it throws, the tensors that it made are disposed of. */
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
 * Runs `fn` and disposes the tensors made inside that are neither in its result nor held as a `grad`. A result is a tensor, or
 * arrays, plain objects, Maps (keys and values) and Sets of such, however deep, shared or circular; other objects are not
 * looked into. Scopes nest. `fn` is synchronous: an `async` one is refused, since other code would run in its scope.
 *
 * @example scope(() => train(x, y))
 * @throws `OptionError` for what is no function, or one that returns a promise.
 */
export function scope<T>(fn: () => T): T {
  checkFunction('scope', 'fn', fn);
  const outer = current;
  const inner = new Set<Tensor>();
  current = inner;
  let kept: readonly Tensor[] = [];
  try {
    const result = fn();
    checkSynchronous('scope', result);
    kept = tensorsIn(result, inner);
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

/** The members of `known` that a result contains. */
function tensorsIn(result: unknown, known: ReadonlySet<Tensor>): Tensor[] {
  const found: Tensor[] = [];
  const seen = new Set<unknown>();
  const waiting: unknown[] = [result];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (known.has(value as Tensor)) found.push(value as Tensor);
    else for (const item of itemsOf(value)) waiting.push(item);
  }
  return found;
}

function itemsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value as Iterable<unknown>;
  if (value instanceof Map) return [...value].flat() as unknown[];
  return isPlain(value) ? Object.values(value) : [];
}
