// Modules that hold others for a caller's forward: lists, dictionaries, and the one that does nothing.
import { describe } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { isPlain } from '../core/validate-options.ts';
import { checkIsModule, Module, type AnyModule } from './module.ts';

/** Returns its input as it is. Arguments of the constructor are not looked at, so that it can stand for any other module. */
export class Identity extends Module {
  constructor(..._unused: unknown[]) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * Modules in a list, named 0, 1, … in the state: `list[i]`, `for (const module of list)`. It computes nothing itself.
 *
 * @example
 * class Tower extends nn.Module {
 *   layers = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4)]);
 *   override forward(x: Tensor): Tensor {
 *     return [...this.layers].reduce((y, layer) => relu(layer.forward(y)), x);
 *   }
 * }
 */
export class ModuleList<M extends AnyModule = Module> extends Module<never, never[]> {
  // Modules are fields of these names, which is how the base class finds them.
  readonly [index: number]: M;

  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  /** Number of modules. */
  get length(): number {
    return this.children().length;
  }

  /** The module at an index, from the end where it is negative. */
  at(index: number): M | undefined {
    return [...this].at(index);
  }

  /** Adds a module at the end; returns the list. */
  append(module: M): this {
    return this.extend([module]);
  }

  /** Adds modules at the end; returns the list. */
  extend(modules: Iterable<M>): this {
    const before = this.length;
    const more = [...modules];
    more.forEach((module, i) => {
      checkIsModule('ModuleList', String(before + i), module);
    });
    more.forEach((module, i) => Reflect.set(this, before + i, module));
    return this;
  }

  /** Puts a module before the one at an index, as `list.splice(index, 0, module)` does in an array. */
  insert(index: number, module: M): this {
    checkIsModule('ModuleList', 'module', module);
    const all = [...this];
    all.splice(index, 0, module);
    all.forEach((one, i) => Reflect.set(this, i, one));
    return this;
  }

  [Symbol.iterator](): IterableIterator<M> {
    return (this.children() as M[]).values();
  }

  override forward(): never {
    throw noForward('ModuleList');
  }
}

/**
 * Modules by name, in the order in which they were given: `dict.get('relu')`. It computes nothing itself.
 *
 * @example
 * const heads = new nn.ModuleDict({ digit: new nn.Linear(16, 10), color: new nn.Linear(16, 3) });
 * heads.get('digit').forward(x);
 */
export class ModuleDict<
  T extends Record<string, AnyModule> = Record<string, Module>,
> extends Module<never, never[]> {
  constructor(modules: T | ReadonlyMap<string, T[string]> = {} as T) {
    super();
    for (const [name, module] of namedModules('ModuleDict', modules)) this.child(name, module);
  }

  /** The module of a name; an `OptionError` where there is none. */
  get<K extends keyof T & string>(name: K): T[K] {
    const found = this.namedChildren().find(([key]) => key === name);
    if (found) return found[1] as T[K];
    throw new OptionError({
      op: 'ModuleDict.get',
      argument: 'name',
      expected: `one of ${this.keys().join(', ') || '(none)'}`,
      received: describe(name),
    });
  }

  /** Adds a module, or replaces the one of that name in its place; returns the dictionary. */
  set<K extends keyof T & string>(name: K, module: T[K]): this {
    for (const [key, one] of namedModules('ModuleDict.set', new Map([[name, module]])))
      this.child(key, one);
    return this;
  }

  /** Whether there is a module of that name. */
  has(name: string): boolean {
    return this.keys().includes(name);
  }

  /** Number of modules. */
  get size(): number {
    return this.children().length;
  }

  /** The names, in order. */
  keys(): string[] {
    return this.namedChildren().map(([name]) => name);
  }

  /** The modules, in order. */
  values(): T[string][] {
    return this.children() as T[string][];
  }

  /** Names and modules, in order. */
  entries(): [string, T[string]][] {
    return this.namedChildren() as [string, T[string]][];
  }

  [Symbol.iterator](): IterableIterator<[string, T[string]]> {
    return this.entries().values();
  }

  override forward(): never {
    throw noForward('ModuleDict');
  }
}

/** Modules by name, of an object or a Map, checked: a name is part of the names in a state, which dots divide. */
export function namedModules(op: string, modules: unknown): [string, AnyModule][] {
  if (!isPlain(modules) && !(modules instanceof Map)) {
    throw new OptionError({
      op,
      argument: 'modules',
      expected: 'modules by name, in an object or a Map',
      received: describe(modules),
    });
  }
  const named: [unknown, unknown][] =
    modules instanceof Map ? [...(modules as Map<unknown, unknown>)] : Object.entries(modules);
  return named.map(([name, module]) => {
    if (typeof name !== 'string' || name === '' || name.includes('.')) {
      throw new OptionError({
        op,
        argument: 'modules',
        expected: 'names that are not empty and have no dot',
        received: describe(name),
      });
    }
    checkIsModule(op, name, module);
    return [name, module];
  });
}

function noForward(op: string): OptionError {
  return new OptionError({
    op,
    expected: 'forward of a module that it holds',
    received: `forward of the ${op}`,
  });
}
