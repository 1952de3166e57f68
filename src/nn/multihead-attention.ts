// Attention with learned projections of query, key, value and result: the module.
import { attentionWeights } from '../attention/attention-weights.ts';
import { scaledDotProductAttention } from '../attention/scaled-dot-product-attention.ts';
import { calling } from '../core/calling.ts';
import { currentDevice } from '../core/current.ts';
import type { FloatDType } from '../core/dtype.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import { scope } from '../core/scope.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkPlacement, checkSameRank, checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { add, mul } from '../math/arithmetic.ts';
import { cat } from '../math/cat.ts';
import { dropout } from '../math/dropout.ts';
import { zeros } from '../math/factories.ts';
import { linear } from '../math/linear.ts';
import { matmul } from '../math/matmul.ts';
import { narrow } from '../math/narrow.ts';
import { permute, transpose } from '../math/permute.ts';
import { mean } from '../math/reduce.ts';
import { reshape } from '../math/reshape.ts';
import { where } from '../math/where.ts';
import { checkMasks, mergeMasks, type ScoreExtents } from './attention-masks.ts';
import {
  drawParameters,
  OP,
  type AttentionCallOptions,
  type AttentionResult,
  type MultiheadAttentionOptions,
} from './attention-parameters.ts';
import { fill } from './init/fill.ts';
import type { Linear } from './layers.ts';
import { Module } from './module.ts';

const OPTIONS = [
  'dropout',
  'bias',
  'addBiasKv',
  'addZeroAttn',
  'kdim',
  'vdim',
  'batchFirst',
  'device',
  'dtype',
];
const CALL_OPTIONS = [
  'keyPaddingMask',
  'needWeights',
  'attnMask',
  'averageAttnWeights',
  'isCausal',
];

/**
 * Concat(head_1, …, head_h) W_oᵀ + b_o, where head_i is `scaledDotProductAttention` of the i-th part of the columns of
 * query W_qᵀ + b_q, key W_kᵀ + b_k and value W_vᵀ + b_v. As `torch.nn.MultiheadAttention`, with its names of parameters
 * (`in_proj_weight`, `in_proj_bias`, `out_proj.weight`, `out_proj.bias`; `q_proj_weight`, `k_proj_weight`, `v_proj_weight` where key or
 * value have other columns; `bias_k`, `bias_v`), and the sense of its masks: what is nonzero is **not** attended to, the
 * opposite of `scaledDotProductAttention`. A row that attends to nothing gives 0, in the output before the last projection and in the weights.
 *
 * @example
 * const attention = new nn.MultiheadAttention(512, 8, { batchFirst: true });
 * const { output, weights } = attention.forward(x, x, x); // x: [N, L, 512]
 *
 * Source: Vaswani et al. 2017, Attention Is All You Need.
 */
export class MultiheadAttention extends Module<
  AttentionResult,
  [query: Tensor, key: Tensor, value: Tensor, options?: AttentionCallOptions]
> {
  /** The length of query and result. */
  readonly embedDim: number;
  /** How many heads there are. */
  readonly numHeads: number;
  /** The probability of dropping a weight in training. */
  readonly dropout: number;
  /** Whether the batch is the first dimension. */
  readonly batchFirst: boolean;
  /** The length of a key. */
  readonly kdim: number;
  /** The length of a value. */
  readonly vdim: number;
  /** The linear layer behind the heads. */
  readonly outProj: Linear;
  readonly #weights: readonly [Tensor] | readonly [q: Tensor, k: Tensor, v: Tensor];
  readonly #bias: Tensor | null;
  readonly #biasKv: readonly [k: Tensor, v: Tensor] | null;
  readonly #addZeroAttn: boolean;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    checkOptionNames(OP, options, OPTIONS);
    checkNumber(OP, 'embedDim', embedDim, { min: 1, integer: true });
    checkNumber(OP, 'numHeads', numHeads, { min: 1, integer: true });
    if (embedDim % numHeads !== 0) {
      throw new OptionError({
        op: OP,
        argument: 'numHeads',
        expected: `a divisor of embedDim (${embedDim})`,
        received: String(numHeads),
      });
    }
    const { dropout: p = 0, bias = true, addBiasKv = false, addZeroAttn = false } = options;
    const { batchFirst = false, device = currentDevice(), dtype = 'float32' } = options;
    const [kdim, vdim] = [options.kdim ?? embedDim, options.vdim ?? embedDim];
    checkNumber(OP, 'dropout', p, { min: 0, max: 1 });
    for (const [name, flag] of Object.entries({ bias, addBiasKv, addZeroAttn, batchFirst }))
      checkBoolean(OP, name, flag);
    checkNumber(OP, 'kdim', kdim, { min: 1, integer: true });
    checkNumber(OP, 'vdim', vdim, { min: 1, integer: true });
    checkPlacement(OP, device, dtype);
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = p;
    this.batchFirst = batchFirst;
    this.kdim = kdim;
    this.vdim = vdim;
    this.#addZeroAttn = addZeroAttn;
    const packed = kdim === embedDim && vdim === embedDim;
    const made = drawParameters({ embedDim, kdim, vdim, bias, addBiasKv, device, dtype }, packed);
    this.#weights = made.weights;
    const names = packed ? ['in_proj_weight'] : ['q_proj_weight', 'k_proj_weight', 'v_proj_weight'];
    made.weights.forEach((weight, i) => this.parameter(names[i] ?? '', weight));
    this.#bias = made.bias && this.parameter('in_proj_bias', made.bias);
    this.#biasKv = made.biasKv;
    made.biasKv?.forEach((one, i) => this.parameter(i === 0 ? 'bias_k' : 'bias_v', one));
    this.outProj = this.child('out_proj', made.outProj);
    if (this.outProj.bias) fill(OP, this.outProj.bias, () => undefined);
  }

  /**
   * query [L, N, E], key [S, N, kdim], value [S, N, vdim]; [N, L, E] and so on with `batchFirst`; or without a batch, [L, E]. Where
   * they are the same tensor they are projected together.
   */
  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionCallOptions = {},
  ): AttentionResult {
    checkOptionNames(OP, options, CALL_OPTIONS);
    const { needWeights = true, averageAttnWeights = true, isCausal = false } = options;
    const { keyPaddingMask = null, attnMask = null } = options;
    checkBoolean(OP, 'needWeights', needWeights);
    checkBoolean(OP, 'averageAttnWeights', averageAttnWeights);
    const extents = this.#extentsOf(query, key, value);
    const masks = { attnMask, keyPaddingMask };
    checkMasks(OP, masks, isCausal, query, extents);
    const { batched } = extents;
    return calling(OP, () =>
      scope(() => {
        const extra = Number(this.#biasKv !== null) + Number(this.#addZeroAttn);
        const [q, k, v] = this.#heads([query, key, value], extents);
        const [keys, values] = [this.#extended(k, 0), this.#extended(v, 1)];
        // The hint spares the mask where nothing else has to be in it.
        const causal = isCausal && !needWeights && keyPaddingMask === null && extra === 0;
        const mask = causal ? null : mergeMasks(masks, extents, extra);
        const attended = needWeights
          ? this.#attendByWeights(q, keys, values, mask)
          : { context: this.#attend(q, keys, values, mask, causal), weights: null };
        const together = permute(
          attended.context,
          batched && !this.batchFirst ? [2, 0, 1, 3] : [0, 2, 1, 3],
        );
        const output = this.outProj.forward(reshape(together, query.shape));
        const { weights } = attended;
        if (weights === null) return { output, weights };
        const kept = averageAttnWeights ? mean(weights, { dim: 1 }) : weights;
        const shape = batched ? kept.shape : kept.shape.slice(1);
        return { output, weights: reshape(kept, shape) };
      }),
    );
  }

  #extentsOf(query: Tensor, key: Tensor, value: Tensor): ScoreExtents {
    const [weight] = this.#weights;
    checkTensors(OP, {
      query,
      key,
      value,
      [this.#weights.length > 1 ? 'q_proj_weight' : 'in_proj_weight']: weight,
    });
    if (query.rank !== 2 && query.rank !== 3) {
      throw new ShapeError({
        op: OP,
        argument: 'query',
        expected: '2 dimensions, or 3 with a batch',
        received: `shape ${formatShape(query.shape)}`,
      });
    }
    checkSameRank(OP, { query, key, value }, 2);
    const batched = query.rank === 3;
    const [batchAt, lengthAt] = this.batchFirst ? [0, 1] : [1, 0];
    const batch = batched ? (query.shape[batchAt] ?? 0) : 1;
    const rows = query.shape[batched ? lengthAt : 0] ?? 0;
    const keys = key.shape[batched ? lengthAt : 0] ?? 0;
    const shapeOf = (length: number, columns: number): Shape => {
      if (!batched) return [length, columns];
      return this.batchFirst ? [batch, length, columns] : [length, batch, columns];
    };
    checkShapeIs(OP, 'query', query, shapeOf(rows, this.embedDim));
    checkShapeIs(OP, 'key', key, shapeOf(keys, this.kdim));
    checkShapeIs(OP, 'value', value, shapeOf(keys, this.vdim));
    return { batch, heads: this.numHeads, rows, keys, batched };
  }

  /** Query, key and value projected, as [batch, heads, length, columns]. Neighbours that are one tensor are one product. */
  #heads(
    inputs: readonly [Tensor, Tensor, Tensor],
    { batch, batched }: ScoreExtents,
  ): [Tensor, Tensor, Tensor] {
    const [first, ...others] = this.#weights;
    const { embedDim, numHeads } = this;
    const columns = embedDim / numHeads;
    const project = (from: number, count: number): Tensor[] => {
      const x = inputs[from] ?? inputs[0];
      const start = from * embedDim;
      const part = (of: Tensor): Tensor => narrow(of, 0, start, count * embedDim);
      const weight = others.length > 0 ? (this.#weights[from] ?? first) : part(first);
      const y = linear(x, weight, { bias: this.#bias && part(this.#bias) });
      const length = x.size / (batch * (x.shape.at(-1) ?? 1)) || 0;
      const lengthFirst = batched && !this.batchFirst;
      const lead = lengthFirst ? [length, batch] : [batch, length];
      const split = reshape(y, [...lead, count, numHeads, columns]);
      const parts = permute(split, lengthFirst ? [2, 1, 3, 0, 4] : [2, 0, 3, 1, 4]);
      return Array.from({ length: count }, (_, i) =>
        reshape(narrow(parts, 0, i, 1), [batch, numHeads, length, columns]),
      );
    };
    const [query, key, value] = inputs;
    const packed = others.length === 0;
    if (packed && query === key && key === value) return triple(project(0, 3));
    if (packed && key === value) return triple([...project(0, 1), ...project(1, 2)]);
    return triple([...project(0, 1), ...project(1, 1), ...project(2, 1)]);
  }

  /** Keys (`which` 0) or values (1), with those that are learned and those of zeros behind. */
  #extended(x: Tensor, which: 0 | 1): Tensor {
    const learned = this.#biasKv?.[which];
    if (!learned && !this.#addZeroAttn) return x;
    const [batch = 0, heads = 1, , columns = 1] = x.shape;
    const blank = zeros([batch, heads, 1, columns], {
      dtype: x.dtype as FloatDType,
      device: x.device,
    });
    const parts = [
      x,
      ...(learned ? [add(blank, reshape(learned, [1, heads, 1, columns]))] : []),
      ...(this.#addZeroAttn ? [blank] : []),
    ];
    return cat(parts, { dim: 2 });
  }

  #attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attnMask: Tensor | null,
    isCausal: boolean,
  ): Tensor {
    const dropoutP = this.training ? this.dropout : 0;
    return scaledDotProductAttention(query, key, value, { attnMask, isCausal, dropoutP });
  }

  #attendByWeights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | null,
  ): { context: Tensor; weights: Tensor } {
    const scale = 1 / Math.sqrt(this.embedDim / this.numHeads);
    const products = matmul(mul(query, scale), transpose(key, -2, -1));
    const scores =
      mask === null
        ? products
        : mask.dtype === 'int32'
          ? where(mask, products, -Infinity)
          : add(products, mask);
    const weights = dropout(attentionWeights(scores, { dim: -1 }), {
      p: this.dropout,
      training: this.training && this.dropout > 0,
    });
    return { context: matmul(weights, value), weights };
  }
}

function triple([q, k, v]: readonly Tensor[]): [Tensor, Tensor, Tensor] {
  if (!q || !k || !v) throw new RangeError('not three');
  return [q, k, v];
}
