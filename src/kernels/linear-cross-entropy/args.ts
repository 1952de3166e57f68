// What a call of the linear cross-entropy tells its kernel, and the chunks of classes that it is computed in.
import type { Capabilities } from '../../core/kernel.ts';

/** What a call binds; the order of tensors is that of this list. */
export interface LinearCrossEntropyArgs {
  /** The logits [batch, classes, inner] are input [batch, features] times linearWeight [classes, inner, features]. */
  readonly batch: number;
  readonly classes: number;
  readonly inner: number;
  readonly features: number;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Bytes of logits to hold at a time. */
  readonly memoryBudget: number;
  /** Inputs: input, linearWeight, classes or probabilities, then those of the following that there are. */
  readonly target: 'classes' | 'probabilities';
  readonly inputs: {
    readonly linearBias: boolean;
    readonly weights: boolean;
    /** What `statistics` and `divisor` of an earlier call have kept, with the gradient of the loss. */
    readonly statistics: boolean;
    readonly divisor: boolean;
    readonly gradOutput: boolean;
  };
  /** Outputs, in this order. `statistics`: five numbers of each row, for gradients later. */
  readonly outputs: {
    readonly loss: boolean;
    readonly gradInput: boolean;
    readonly gradLinearWeight: boolean;
    readonly gradLinearBias: boolean;
    readonly gradTarget: boolean;
    readonly statistics: boolean;
    readonly divisor: boolean;
  };
}

/** Numbers that are kept of each row. */
export const STATISTICS = 5;

const INPUTS = ['linearBias', 'weights', 'statistics', 'divisor', 'gradOutput'] as const;
const OUTPUTS = [
  'loss',
  'gradInput',
  'gradLinearWeight',
  'gradLinearBias',
  'gradTarget',
  'statistics',
  'divisor',
] as const;

/** Index of each tensor among the inputs or outputs, -1 where it is not there. */
function indexed<N extends string>(
  names: readonly N[],
  present: Readonly<Record<N, boolean>>,
  from: number,
): Readonly<Record<N, number>> {
  let k = from;
  return Object.fromEntries(names.map((name) => [name, present[name] ? k++ : -1])) as Record<
    N,
    number
  >;
}

/** Where each tensor of a call is among its inputs and outputs. */
export function placesOf({ inputs, outputs }: LinearCrossEntropyArgs): {
  inputs: Readonly<Record<(typeof INPUTS)[number], number>>;
  outputs: Readonly<Record<(typeof OUTPUTS)[number], number>>;
} {
  return { inputs: indexed(INPUTS, inputs, 3), outputs: indexed(OUTPUTS, outputs, 0) };
}

/** Whether any gradient is asked for. */
export function wantsGradients({ outputs }: LinearCrossEntropyArgs): boolean {
  const { gradInput, gradLinearWeight, gradLinearBias, gradTarget } = outputs;
  return gradInput || gradLinearWeight || gradLinearBias || gradTarget;
}

/** Windows of a tensor then begin at multiples of 256 bytes, whatever its other dimensions and its dtype. */
const GRANULE = 128;

/** Some of the classes. */
export interface Chunk {
  readonly first: number;
  readonly count: number;
}

/** Classes per chunk: as many as the budget allows, in chunks of about one size. */
export function chunksOf(
  { batch, classes, inner, features, memoryBudget }: LinearCrossEntropyArgs,
  half: boolean,
  { maxBindingSize }: Capabilities,
): Chunk[] {
  const logits = 4 * batch * inner;
  const weights = 4 * inner * features;
  const most = Math.min(
    memoryBudget / Math.max(logits + (half ? weights : 0), 1),
    maxBindingSize / Math.max(logits, weights, 1),
  );
  const granules = Math.ceil(classes / GRANULE);
  const count = Math.ceil(granules / Math.max(1, Math.floor(most / GRANULE)));
  const size = Math.ceil(granules / count) * GRANULE;
  const chunks: Chunk[] = [];
  for (let first = 0; first < classes; first += size)
    chunks.push({ first, count: Math.min(size, classes - first) });
  return chunks;
}
