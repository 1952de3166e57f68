// Makes the module class of a function of three tensors and options.
import { Module } from '../nn/module.ts';
import type { Tensor } from '../core/tensor.ts';
import { nameOf, optionsFor } from './module.ts';

export interface TripleModule extends Module {
  forward(first: Tensor, second: Tensor, third: Tensor): Tensor;
}

/** The module class of a function of three tensors whose options can all be left out. They are checked at the first `forward`. */
export function tripleModule<O extends object>(
  fn: (first: Tensor, second: Tensor, third: Tensor, options?: O) => Tensor,
): new (options?: Omit<O, 'out'>) => TripleModule {
  return class extends Module {
    readonly #options: O;

    constructor(options?: Omit<O, 'out'>) {
      super();
      this.#options = optionsFor(nameOf(fn), options as O);
    }

    override forward(first: Tensor, second: Tensor, third: Tensor): Tensor {
      return fn(first, second, third, this.#options);
    }
  };
}
