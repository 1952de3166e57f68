// Attention with its gradients: the declaration, the call and what is recorded.
import { isRecording, record } from '../core/autograd.ts';
import { run, runOne } from '../core/dispatcher.ts';
import type { DType } from '../core/dtype.ts';
import { withKey } from '../core/random.ts';
import { sameShape, sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { encode } from '../core/dtype.ts';
import { checkOut } from '../core/validate.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { defineOp } from '../define/op.ts';
import { warmUp } from '../define/prepare.ts';
import {
  sharedHeads,
  type AttentionBackward,
  type AttentionShape,
} from '../kernels/attention/args.ts';
import { attentionKernel } from '../kernels/attention/plan.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import { sumTo, view } from '../kernels/reduce/sum-to.ts';
import { attentionLayout, type AttentionLayout } from './attention-shapes.ts';

/** Options of `scaledDotProductAttention`. */
export interface ScaledDotProductAttentionOptions {
  /**
   * Broadcasts to [..., L, S]. Of int32: nonzero where a row attends to a key, the opposite of what `nn.MultiheadAttention`
   * takes. Of the dtype of `query`: added to the scores. Not beside `isCausal`.
   */
  attnMask?: Tensor | null;
  /** Probability of dropping a weight, from 0 to 1; those that stay are multiplied by 1 / (1 - p). Defaults to 0. */
  dropoutP?: number;
  /** Whether row i attends to keys j ≤ i only, also where there are more keys than rows. Defaults to false. */
  isCausal?: boolean;
  /** Factor of the scores. Defaults to 1 / sqrt(E). */
  scale?: number | null;
  /** Whether key and value may have fewer heads (dimension -3), each for a group of neighbouring heads of the query. Defaults to false. */
  enableGqa?: boolean;
  /** Scores s become softcap · tanh(s / softcap), before the mask. Defaults to none. */
  softcap?: number | null;
  /** One number for each head of the query: one more score of its rows, whose weight goes nowhere. */
  sinks?: Tensor | null;
  /** Row i attends to keys from i - left to i + right only: [left, right], or one number for both. Defaults to all. */
  window?: number | readonly [left: number, right: number] | null;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const NAME = 'scaledDotProductAttention';
const OPTIONS = [
  'attnMask',
  'dropoutP',
  'isCausal',
  'scale',
  'enableGqa',
  'softcap',
  'sinks',
  'window',
  'out',
];

function apply(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: ScaledDotProductAttentionOptions = {},
): Tensor {
  checkOptionNames(NAME, options, OPTIONS);
  const { dropoutP = 0, attnMask = null, sinks = null, out } = options;
  checkNumber(NAME, 'dropoutP', dropoutP, { min: 0, max: 1 });
  const layout = attentionLayout(NAME, { query, key, value }, options);
  const inputs = [query, key, value, attnMask, sinks].filter((tensor) => tensor !== null);
  const recording = isRecording(inputs);
  const { dtype, device } = query;
  const { rows, valueColumns } = layout.shape;
  const shape = [...layout.batch, rows, valueColumns];
  checkOut(NAME, out, { device, dtype, shape }, recording);

  const dropout = dropoutP > 0 ? withKey(([key0, key1]) => ({ p: dropoutP, key0, key1 })) : null;
  const args: AttentionShape = { ...layout.shape, dropout };
  const forward = { ...args, direction: 'forward', keeps: recording } as const;
  if (!recording) return runOne(attentionKernel, forward, inputs, out ?? { shape, dtype });
  // The gradient is computed from the result as it was before it was rounded to float16.
  const [result, statistics] = run(attentionKernel, forward, inputs, [
    { shape, dtype: 'float32' },
    { shape: [...layout.batch, rows, 4], dtype: 'float32' },
  ]);
  if (!statistics) throw new RangeError('no statistics');
  const output = dtype === 'float32' ? result : castTo(result, dtype);
  const likes = inputs.map((input) => input.like());
  const saved = [...inputs, result, statistics];
  const has = { mask: attnMask !== null, sinks: sinks !== null };
  const recorded = record(output, NAME, inputs, saved, (upstream, all, needs) =>
    gradients(layout, args, [...all, upstream.tensor], likes, needs, has),
  );
  if (output !== result) result.dispose();
  statistics.dispose();
  return recorded;
}

interface Like {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Gradients of the inputs, null where none is needed. */
function gradients(
  { batch }: AttentionLayout,
  args: AttentionShape,
  operands: readonly Tensor[],
  likes: readonly Like[],
  needs: readonly boolean[],
  has: { readonly mask: boolean; readonly sinks: boolean },
): (Tensor | null)[] {
  const { rows, keys, columns, valueColumns } = args;
  const [query = false, key = false, value = false] = needs;
  const maskAt = has.mask ? 3 : -1;
  const sinksAt = has.sinks ? 3 + Number(has.mask) : -1;
  const empty = sizeOf(batch) === 0;
  const wants = {
    query,
    key,
    value,
    // A mask may have elements where there are no batches.
    mask: (needs[maskAt] ?? false) && !empty,
    sinks: needs[sinksAt] ?? false,
  };
  const outer = batch.slice(0, -1);
  const heads = batch.length === 0 ? [] : [(batch.at(-1) ?? 1) / sharedHeads(args)];
  /** What the kernel writes of each input: its gradient by batches, or that itself. */
  const written: readonly (Shape | null)[] = likes.map(({ shape }, i) => {
    if (i === 0) return query ? [...batch, rows, columns] : null;
    if (i === 1) return key ? [...outer, ...heads, keys, columns] : null;
    if (i === 2) return value ? [...outer, ...heads, keys, valueColumns] : null;
    if (i === maskAt) return wants.mask ? shape : null;
    return wants.sinks ? [...batch, rows] : null;
  });
  const outputs = written.flatMap((shape, i): Like[] => {
    const like = likes[i];
    if (!shape || !like) return [];
    return [{ shape, dtype: sameShape(shape, like.shape) ? like.dtype : 'float32' }];
  });
  const backward: AttentionBackward = { ...args, direction: 'backward', wants };
  const grads: Tensor[] =
    outputs.length > 0 ? run(attentionKernel, backward, operands, outputs) : [];
  let next = 0;
  return likes.map((like, i) => {
    if (needs[i] !== true) return null;
    if (i === maskAt && empty) return runSum(operands[0], [...batch, rows, keys], like);
    const grad = grads[next++];
    if (!grad) return null;
    if (sameShape(grad.shape, like.shape)) return grad;
    const reduced = reduce(grad, like, i === sinksAt);
    grad.dispose();
    return reduced;
  });
}

/** The sum of nothing. */
function runSum(
  other: Tensor | undefined,
  shape: Shape,
  { shape: to, dtype }: Like,
): Tensor | null {
  if (!other) return null;
  const nothing = fromHost(
    encode('float32', new Float32Array(sizeOf(shape))),
    shape,
    'float32',
    other.device,
  );
  const sum = sumTo(nothing, to, dtype);
  nothing.dispose();
  return sum;
}

/** Adds up what is of one element of an input: batches that it is repeated for, heads of a group, rows of a sink. */
function reduce(grad: Tensor, { shape, dtype }: Like, sinks: boolean): Tensor {
  const heads = grad.shape.at(-3) ?? 1;
  const own = shape.at(-3) ?? heads;
  let [from, to]: [Shape, Shape] = [grad.shape, shape];
  if (sinks) {
    from = [sizeOf(grad.shape.slice(0, -2)), ...shape, grad.shape.at(-1) ?? 1];
    to = [...shape, 1];
  } else if (own > 1 && own < heads) {
    from = [...grad.shape.slice(0, -3), own, heads / own, ...grad.shape.slice(-2)];
    to = [...shape.slice(0, -2), 1, ...shape.slice(-2)];
  }
  const seen = view(grad, from);
  const sum = sumTo(seen, to, dtype);
  const result = view(sum, shape);
  seen.dispose();
  sum.dispose();
  return result;
}

/**
 * softmax(scale · query keyᵀ + mask) value, for query [..., L, E], key [..., S, E] and value [..., S, Ev]; the result is
 * [..., L, Ev]. The other dimensions broadcast. The matrix [L, S] is never stored, neither forward nor backward.
 *
 * Float32 or float16, all tensors alike, but for masks of int32. Options: `attnMask`, `dropoutP` (0), `isCausal` (false),
 * `scale` (1 / sqrt(E)), `enableGqa` (false), `softcap`, `sinks`, `window`. A row that attends to nothing gives 0 and passes
 * no gradient. What a row does not attend to does not count for it, whatever it holds. Gradients for query, key, value,
 * a float mask and the sinks. Refused: a mask beside `isCausal`, shapes that do not fit (`ShapeError`); on WebGPU
 * rows of more than 256 columns (`LimitError`).
 *
 * @example
 * const y = scaledDotProductAttention(q, k, v, { isCausal: true });
 */
export const scaledDotProductAttention = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'attention',
  params: { dropoutP: 0, isCausal: false, enableGqa: false },
  weights: ['attnMask', 'sinks'],
  // In ULP of the largest value, and of the largest gradient that sums are made of.
  accuracy: { forward: 8, backward: 16 },
  docs: {
    tex: String.raw`\sum_j \frac{e^{s_{ij}}}{\sum_k e^{s_{ik}}} v_j, \quad s_{ij} = \frac{q_i \cdot k_j}{\sqrt{E}} + m_{ij}`,
    derivative: String.raw`\partial / \partial s_{ij} = p_{ij} \left(g_i \cdot v_j - \sum_k p_{ik}\, g_i \cdot v_k\right)`,
    range: String.raw`[\min_j v_j, \max_j v_j]`,
    shapes:
      'query [..., L, E], key [..., S, E], value [..., S, Ev], attnMask [..., L, S], sinks [heads]; result [..., L, Ev]',
    torch: 'scaled_dot_product_attention',
    cite: 'Vaswani et al. 2017, Attention Is All You Need; Dao 2023, FlashAttention-2',
    use: 'The operation with which transformers combine the positions of a sequence. Its memory grows with the length of the sequence, and its time with the square of the length. A `window` limits how far each position looks, and with it the time.',
  },
  prepare: (device, dtype) => {
    for (const isCausal of [false, true]) {
      const shape = [1, 1, 4];
      warmUp(device, dtype, [shape, shape], (query, key) => {
        apply(query.detach(), key.detach(), key.detach(), { isCausal });
        return apply(query, key, key, { isCausal });
      });
    }
  },
});
