// What every declared op has besides being a function: name, documentation, accuracy.
import { calling } from '../core/calling.ts';
import type { Preparable } from '../core/device.ts';
import type { ParamSpecs } from './params.ts';

/** Documentation of an op, for the tables, the demo and editors. */
export interface OpDocs {
  /** The formula in TeX. */
  readonly tex: string;
  /** The derivative in TeX; of a loss, the gradient with respect to the input. */
  readonly derivative?: string;
  /** The range of results in TeX. */
  readonly range?: string;
  /** For a loss or an embedding: the shapes of its arguments and of its result. */
  readonly shapes?: string;
  /** PyTorch's name under `torch.nn.functional`; left out where it has none. */
  readonly torch?: string;
  /** The paper or source that introduced it. */
  readonly cite: string;
  /** The gradient at points without a derivative; left out where there are none. */
  readonly kinks?: string;
  /** When to use it, and its weaknesses. */
  readonly use?: string;
}

/** The largest error in ULP of the float32 result compared to float64. The tests check it. */
export interface Accuracy {
  /** Of the result. */
  readonly forward: number;
  /** Of the gradients. */
  readonly backward: number;
}

/** The families of ops. */
export type OpKind =
  'activation' | 'gated' | 'rowwise' | 'norm' | 'embedding' | 'attention' | 'loss';

/** What the catalog, the docs and the demo know of an op. */
export interface OpInfo {
  /** The name of the function. */
  readonly op: string;
  /** The family that it is of. */
  readonly kind: OpKind;
  /** What its documentation says. */
  readonly docs: OpDocs | undefined;
  /** How far off results may be, in ULP of float32. */
  readonly accuracy: Accuracy | undefined;
  /** Names and defaults of the declared options; a typical value where there is no default. */
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Options without a default, which every call has to give. */
  readonly required?: readonly string[];
  /** The options with their ranges; left out where there are none. */
  readonly specs?: ParamSpecs;
  /** Names of the options that are tensors, of a loss or a norm. */
  readonly weights?: readonly string[];
  /** What the shape of those is, where it is not the normalised shape of a norm, or one that broadcasts for a loss. */
  readonly weightsOf?: string;
  /** The reductions of a loss, the default first. */
  readonly reductions?: readonly string[];
}

/** A declared op: a function with its description. */
export type Declared = OpInfo & Preparable;

/** A declared op with documentation and error bounds, as all ops of this package have them in their sources. */
export type Documented = Declared & { readonly docs: OpDocs; readonly accuracy: Accuracy };

export function isDocumented(
  value: unknown,
): value is Documented & ((...args: never[]) => unknown) {
  return (
    typeof value === 'function' && 'op' in value && 'docs' in value && value.docs !== undefined
  );
}

/** A function with its description. */
export function defineOp<A extends unknown[], R, K extends OpKind>(
  fn: (...args: A) => R,
  info: Declared & { readonly kind: K },
): ((...args: A) => R) & Declared & { readonly kind: K } {
  return Object.assign((...args: A): R => calling(info.op, () => fn(...args)), info);
}
