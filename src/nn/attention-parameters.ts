// What `nn.MultiheadAttention` is made of, and the first values of its parameters.
import type { Device } from '../core/device.ts';
import { BYTES, encode, type FloatDType } from '../core/dtype.ts';
import { allocating } from '../core/memory.ts';
import { undone } from '../core/scope.ts';
import { sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { drawNormal, drawUniform } from './init/fill.ts';
import { Linear } from './layers.ts';

export const OP = 'MultiheadAttention';

/** Options of `nn.MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  /** Probability of dropping a weight in training mode. Defaults to 0. */
  dropout?: number;
  /** Whether the projections have biases. Defaults to true. */
  bias?: boolean;
  /** Whether one more key and value are learned, which every row attends to. Defaults to false. */
  addBiasKv?: boolean;
  /** Whether every row attends to one more key and value of zeros. Defaults to false. */
  addZeroAttn?: boolean;
  /** Columns of key. Defaults to embedDim. */
  kdim?: number | null;
  /** Columns of value. Defaults to embedDim. */
  vdim?: number | null;
  /** Whether inputs are [N, L, E] instead of [L, N, E]. Defaults to false. */
  batchFirst?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

/** Options of a call of `nn.MultiheadAttention`. */
export interface AttentionCallOptions {
  /** [N, S], or [S] without a batch. int32: nonzero where a key is not attended to. Of the dtype of the query: added to its scores. */
  keyPaddingMask?: Tensor | null;
  /** Whether the weights are returned; without them memory does not grow with L · S. Defaults to true. */
  needWeights?: boolean;
  /** [L, S] or [N · heads, L, S]. int32: nonzero where a row does not attend to a key. Of the dtype of the query: added. */
  attnMask?: Tensor | null;
  /** Whether weights are the mean over heads. Defaults to true. */
  averageAttnWeights?: boolean;
  /** A hint that `attnMask`, which has to be there, is the causal one: row i attends to keys j ≤ i. Defaults to false. */
  isCausal?: boolean;
}

/** What a call of `nn.MultiheadAttention` gives. */
export interface AttentionResult {
  /** Of the shape of query. */
  readonly output: Tensor;
  /** [N, L, S], or [N, heads, L, S] of each head; null where they were not asked for. Without a batch there is no N. */
  readonly weights: Tensor | null;
}

/** The extents that parameters follow from, and which of them there are. */
export interface AttentionSizes {
  readonly embedDim: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly bias: boolean;
  readonly addBiasKv: boolean;
  readonly device: Device;
  readonly dtype: FloatDType;
}

interface Parameters {
  readonly weights: readonly [Tensor] | readonly [q: Tensor, k: Tensor, v: Tensor];
  readonly bias: Tensor | null;
  readonly biasKv: readonly [k: Tensor, v: Tensor] | null;
  readonly outProj: Linear;
}

/** Draws all parameters, the projections of query, key and value in one where `packed`; all of them are made, or none. */
export function drawParameters(sizes: AttentionSizes, packed: boolean): Parameters {
  const { embedDim, kdim, vdim, bias, addBiasKv, device, dtype } = sizes;
  const make = (shape: Shape, draw?: (y: Float64Array) => void): Tensor => {
    const bytes = sizeOf(shape) * BYTES[dtype];
    device.checkBytes(OP, bytes);
    const values = allocating(OP, bytes, () => {
      const y = new Float64Array(sizeOf(shape));
      draw?.(y);
      return encode(dtype, y);
    });
    return fromHost(values, shape, dtype, device);
  };
  // Xavier's bounds, as PyTorch has them.
  const matrix = (rows: number, columns: number): Tensor => {
    const bound = Math.sqrt(6 / (rows + columns));
    return make([rows, columns], (y) => {
      drawUniform(y, -bound, bound);
    });
  };
  const row = (): Tensor =>
    make([1, 1, embedDim], (y) => {
      drawNormal(y, 0, Math.sqrt(1 / embedDim));
    });
  return undone(() => ({
    weights: packed
      ? ([matrix(3 * embedDim, embedDim)] as const)
      : ([matrix(embedDim, embedDim), matrix(embedDim, kdim), matrix(embedDim, vdim)] as const),
    bias: bias ? make([3 * embedDim]) : null,
    biasKv: addBiasKv ? ([row(), row()] as const) : null,
    outProj: new Linear(embedDim, embedDim, { bias, device, dtype }),
  }));
}
