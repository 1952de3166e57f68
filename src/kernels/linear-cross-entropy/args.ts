// The arguments of the linear cross-entropy kernel, and the chunks of classes in which it is computed.
import type { AdapterCapabilities } from '../../core/kernel.ts';
import type { Temper } from '../class-loss/temper.ts';

/** Which tensors a call binds. The tensors are in the order of these lists. */
export interface LinearCrossEntropyArgs {
  /** The logits [batch, classes, inner] are input [batch, features] times linearWeight [classes, inner, features]. */
  readonly batch: number;
  readonly classes: number;
  readonly inner: number;
  readonly features: number;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** What is done to logits; null for nothing. */
  readonly temper: Temper | null;
  /** The most bytes of logits that are in memory at a time. */
  readonly memoryBudget: number;
  /** The inputs: input, linearWeight, classes or probabilities, then those of the following that the call has. */
  readonly target: 'classes' | 'probabilities';
  readonly inputs: {
    readonly linearBias: boolean;
    readonly weights: boolean;
    /** `statistics` and `divisor` as an earlier call stored them, and the gradient of the loss. */
    readonly statistics: boolean;
    readonly divisor: boolean;
    readonly gradOutput: boolean;
  };
  /** The outputs, in this order. `statistics` are five numbers per row that a later call needs for gradients. */
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

/** Number of statistics that are stored per row. */
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

/** The index of each tensor among the inputs or outputs; -1 if the call does not have it. */
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

/** Finds the index of each tensor of a call among its inputs and outputs. */
export function placesOf({ inputs, outputs }: LinearCrossEntropyArgs): {
  inputs: Readonly<Record<(typeof INPUTS)[number], number>>;
  outputs: Readonly<Record<(typeof OUTPUTS)[number], number>>;
} {
  return { inputs: indexed(INPUTS, inputs, 3), outputs: indexed(OUTPUTS, outputs, 0) };
}

/** Whether the call has any gradient among its outputs. */
export function wantsGradients({ outputs }: LinearCrossEntropyArgs): boolean {
  const { gradInput, gradLinearWeight, gradLinearBias, gradTarget } = outputs;
  return gradInput || gradLinearWeight || gradLinearBias || gradTarget;
}

/**
 * With this multiple of classes, the window of a chunk begins at a multiple of 256 bytes, whatever its other
 * dimensions and its dtype are.
 */
const GRANULE = 128;

/** A range of classes. */
export interface Chunk {
  readonly first: number;
  readonly count: number;
}

/** Divides the classes into chunks of about equal size that fit the memory budget. */
export function chunksOf(
  { batch, classes, inner, features, memoryBudget }: LinearCrossEntropyArgs,
  half: boolean,
  { maxBindingSize }: AdapterCapabilities,
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
