// Whether a value is a tensor, for the modules that `tensor.ts` is made of: importing its class would close a circle.
import type { Tensor } from './tensor.ts';

/** The name of a property that all tensors have, and nothing else. */
export const TENSOR: unique symbol = /* @__PURE__ */ Symbol('nonlin.Tensor');

export function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && TENSOR in value;
}
