// What a contrastive loss declares, and what follows from a call's shapes and options for its kernel: without tensors, so that
// plans share it.
import { ShapeError } from '../core/errors.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import { checkShapeIs } from '../core/validate.ts';
import type { ContrastiveArgs, Pairing, TensorName } from '../kernels/contrastive/args.ts';
import { contrastiveKernel } from '../kernels/contrastive/plan.ts';
import type { Kernel } from '../core/kernel.ts';
import type { Source } from '../shader/link.ts';
import type { Accuracy, OpDocs } from './op.ts';
import { resolveParams, type NoParams, type ParamSpecs } from './params.ts';
import type { Reduction } from './reduction.ts';

export interface ContrastiveDeclaration<S extends ParamSpecs = ParamSpecs> {
  /** In messages and labels. */
  readonly name: string;
  /** The loss of a row or of a pair: `softmaxForm` or `logisticForm`. */
  readonly form: Source;
  /**
   * The names of both tensors. They are embeddings [N, D]; with the pairing `labels` the first are features, [N, D] or [N, V, D]
   * of V views, and the second their labels, int32 [N].
   */
  readonly inputs: readonly [string, string];
  /** Which pairs are positive. `rows` becomes `own` where a call has negatives. */
  readonly pairing: Pairing;
  /**
   * Similarities are divided by the option `temperature`, and losses multiplied by temperature / `baseTemperature`, where there are
   * such; `normalize` is whether embeddings are divided by their lengths.
   */
  readonly params?: S;
  /** Options that are numbers or scalar tensors, with their defaults: what similarities are multiplied by, and what is added. */
  readonly scalars?: { readonly logitScale: number; readonly logitBias?: number };
  /** Whether there is an option `negatives`, of embeddings [M, D] that belong to no row. */
  readonly negatives?: boolean;
  /** The reductions, the default first. Without them the loss is a scalar. */
  readonly reductions?: readonly Reduction[];
  /** Whether embeddings are always divided by their lengths: without it an option `normalize` says so, if there is one. */
  readonly normalized?: boolean;
  readonly accuracy?: Accuracy;
  readonly docs?: OpDocs;
}

/** A declaration as it is, with its types: what is made of it by `define/contrastive.ts` and `plan/contrastive.ts`. */
export function declareContrastive<const S extends ParamSpecs = NoParams>(
  declaration: ContrastiveDeclaration<S>,
): ContrastiveDeclaration<S> {
  return declaration;
}

/** Of docs, where embeddings are divided by their lengths. */
export const SHORT_ROWS =
  'a row shorter than 1e-12 is divided by 1e-12 instead of its length, and its gradient is that of this division';

/** Bytes of similarities that are in memory at a time. */
const MEMORY_BUDGET = 2 ** 22;

/** The kernel of a declared loss. */
export function kernelOf({ name, form }: ContrastiveDeclaration): Kernel<ContrastiveArgs> {
  return contrastiveKernel(name, form);
}

/** The options that are numbers. `others` are those that the caller checks. */
export function resolveContrastive(
  { name, params = {}, scalars, negatives, reductions }: ContrastiveDeclaration,
  others: readonly string[],
  options: object,
): Readonly<Record<string, number>> {
  const more = [...(negatives ? ['negatives'] : []), ...(reductions ? ['reduction'] : [])];
  return resolveParams(name, params, [...Object.keys(scalars ?? {}), ...more, ...others], options);
}

/** What of a call has a place in the kernel, in the kernel's order. Labels have no gradient. */
export function placesOf<T>(
  { inputs: [first, second], pairing }: ContrastiveDeclaration,
  given: Readonly<Record<string, T | undefined>>,
): { readonly name: TensorName; readonly tensor: T }[] {
  const places: [string, TensorName][] = [
    [first, 'left'],
    [second, pairing === 'labels' ? 'labels' : 'right'],
    ['negatives', 'negatives'],
    ['logitScale', 'scale'],
    ['logitBias', 'bias'],
  ];
  return places.flatMap(([argument, name]) => {
    const tensor = given[argument];
    return tensor === undefined ? [] : [{ name, tensor }];
  });
}

/** The arguments of the kernel but for its operands, and the shape of the losses of all rows. Checks the shapes of tensors. */
export function contrastiveArgs(
  { name, inputs: [first, second], pairing, normalized = false }: ContrastiveDeclaration,
  [left, right, negatives]: readonly [
    { readonly shape: Shape },
    { readonly shape: Shape },
    { readonly shape: Shape } | undefined,
  ],
  params: Readonly<Record<string, number>>,
  given: Pick<ContrastiveArgs, 'reduction'> & Partial<Pick<ContrastiveArgs, 'scale' | 'bias'>>,
): Omit<ContrastiveArgs, 'inputs' | 'outputs'> & { readonly rowShape: Shape } {
  const { shape } = left;
  const labelled = pairing === 'labels';
  const wrong = (argument: string, expected: string, received: Shape): ShapeError =>
    new ShapeError({ op: name, argument, expected, received: `shape ${formatShape(received)}` });
  if (shape.length !== 2 && !(labelled && shape.length === 3)) {
    throw wrong(first, labelled ? 'shape [N, D] or [N, V, D]' : 'shape [N, D]', shape);
  }
  const [examples = 0, inner = 0] = shape;
  const views = shape.length === 3 ? inner : 1;
  const features = shape.at(-1) ?? 0;
  checkShapeIs(name, second, right, labelled ? [examples] : shape);
  if (negatives && (negatives.shape.length !== 2 || negatives.shape[1] !== features)) {
    throw wrong('negatives', `shape [M, ${features}]`, negatives.shape);
  }
  const rows = examples * views;
  const all = pairing === 'views' ? 2 * rows : rows;
  const { temperature = 1, baseTemperature = temperature, normalize } = params;
  return {
    normalize: normalized || normalize === 1,
    scale: 1 / temperature,
    bias: 0,
    factor: temperature / baseTemperature,
    ...given,
    pairing: negatives ? 'own' : pairing,
    rows,
    columns: negatives?.shape[0] ?? all,
    features,
    views,
    memoryBudget: MEMORY_BUDGET,
    rowShape: labelled ? shape.slice(0, -1) : [all],
  };
}
