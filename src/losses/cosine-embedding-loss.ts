import wgsl from '../../shaders/losses/cosine-embedding.wgsl?raw';
import { REDUCTIONS, type Reduction } from '../define/loss.ts';
import { defineOp } from '../define/op.ts';
import { comparePairs, declarePairRows } from '../define/pair-rows.ts';
import { defaultsOf, layoutOf, resolveParams } from '../define/params.ts';
import { warmUpPairs } from '../define/prepare.ts';
import { tripleModule } from '../define/triple-module.ts';
import { encode } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import { bits } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { cosineGrad, squares } from '../kernels/pair-rows/cosine-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import { rowCosine } from '../kernels/rows/sources.ts';
import { broadcastShapes, formatShape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkTensors } from '../core/validate.ts';
import { checkIsOptions, checkOneOf } from '../core/validate-options.ts';

/** Options of `cosineEmbeddingLoss`. */
export interface CosineEmbeddingLossOptions {
  /** The cosine up to which pairs with label -1 have loss 0, usually between 0 and 0.5. Defaults to 0. */
  margin?: number;
  /** `'mean'` (default) over the pairs, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const specs = { margin: 0 } as const;
/** Added to squared lengths, as in PyTorch. */
const EPSILON = 1e-12;

const op: PairRowsOp = {
  name: 'cosineEmbeddingLoss',
  source: /* @__PURE__ */ source('losses/cosine-embedding.wgsl', wgsl, [bits, rowCosine]),
  params: /* @__PURE__ */ layoutOf(specs),
  operands: ['input1', 'input2'],
  labels: 'labels',
  reference: ([x, y], label, { margin = 0 }, upstream, grads) => {
    if (!x || !y) return NaN;
    const [dot, xx, yy] = squares(x, y);
    const [nx, ny] = [Math.sqrt(xx + EPSILON), Math.sqrt(yy + EPSILON)];
    const value = dot / nx / ny;
    const above = value - margin;
    const side = label === 1 ? -1 : label === -1 && above >= 0 ? 1 : 0;
    const g = side === 0 ? 0 : side * upstream;
    const [gx, gy] = grads ?? [];
    if (gx) cosineGrad(x, y, value, nx, nx, ny, g, gx);
    if (gy) cosineGrad(y, x, value, ny, ny, nx, g, gy);
    if (label === 1) return 1 - value;
    return label === -1 ? (above < 0 ? 0 : above) : 0;
  },
};

const declaration = /* @__PURE__ */ declarePairRows({
  op,
  kind: 'loss',
  inputs: ['input1', 'input2'],
  label: 'target',
  compared: (options: CosineEmbeddingLossOptions, others, { input1, input2, target }) => {
    const params = resolveParams(op.name, specs, ['reduction', ...others], options);
    const { reduction = 'mean' } = options;
    checkOneOf(op.name, 'reduction', reduction, REDUCTIONS);
    const rank = target.shape.length;
    for (const [argument, { shape }] of Object.entries({ input1, input2 })) {
      if (rank > 1 || shape.length !== rank + 1) {
        throw new ShapeError({
          op: op.name,
          argument: rank > 1 ? 'target' : argument,
          expected: 'inputs [N, D] with a target [N], or inputs [D] with a scalar target',
          received: `${argument} ${formatShape(shape)} and target ${formatShape(target.shape)}`,
        });
      }
    }
    const pairs = broadcastShapes(op.name, [input1.shape, input2.shape], 'input2');
    const rowShape = broadcastShapes(op.name, [pairs.slice(0, -1), target.shape], 'target');
    const shape = [...rowShape, ...pairs.slice(-1)];
    return { params, shape, dim: rowShape.length, rowShape, reduction };
  },
});
export default declaration;

function apply(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: CosineEmbeddingLossOptions = {},
): Tensor {
  checkIsOptions(op.name, options);
  checkTensors(op.name, { input1, input2, target });
  const rows = declaration.compared(options, ['out'], { input1, input2, target });
  const { out } = options;
  return comparePairs({ op, operands: [input1, input2], labels: target, out, ...rows });
}

/**
 * Pulls pairs of vectors [N, D] labelled 1 together and pushes those labelled -1 apart, by the cosine of their angle; other
 * labels cost nothing. `target` is [N]; vectors [D] go with a scalar. Options: `margin` (0), `reduction` ('mean').
 *
 * @example cosineEmbeddingLoss(a, b, target, { margin: 0.2 })
 */
export const cosineEmbeddingLoss = /* @__PURE__ */ defineOp(apply, {
  op: 'cosineEmbeddingLoss',
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  // In ULP of the largest term, which is 1 for the loss and the largest gradient term of the row. Measured for up to
  // 1,027 elements: 1 and 5.
  accuracy: { forward: 4, backward: 8 },
  docs: {
    tex: String.raw`\begin{cases} 1 - \cos(x_1, x_2) & y = 1 \\ \max(0, \cos(x_1, x_2) - \mathrm{margin}) & y = -1 \end{cases}`,
    derivative: String.raw`\mp \frac{1}{\lVert x_1 \rVert} \left(\frac{x_2}{\lVert x_2 \rVert} - \cos(x_1, x_2) \frac{x_1}{\lVert x_1 \rVert}\right)`,
    range: '[0, 2]',
    shapes:
      'input1 and input2 [N, D] or [D], target [N] or a scalar; result: a scalar, or [N] with reduction `none`',
    torch: 'cosine_embedding_loss',
    cite: 'Bromley, Guyon, LeCun, Säckinger & Shah 1993, Signature Verification using a Siamese Time Delay Neural Network',
    kinks:
      'at cos = margin the gradient is that of the side above the margin; at vectors of length 0 it is finite, because 1e-12 is added to the squared lengths',
    use: 'For embeddings that are compared by angle. The length of a vector does not change the loss, but long vectors have smaller gradients and learn slowly. Exactly opposite vectors get no gradient. Dissimilar pairs beyond the margin get none either, so choose hard pairs.',
  },
  prepare: (device, dtype) => {
    const target = fromHost(encode(dtype, [1, -1]), [2], dtype, device);
    for (const reduction of ['mean', 'none'] as const) {
      warmUpPairs(
        device,
        dtype,
        [
          [2, 3],
          [2, 4],
          [2, 64],
        ],
        (a, b) => apply(a, b, target, { reduction }),
      );
    }
  },
});

/** `cosineEmbeddingLoss` as a module. */
export class CosineEmbeddingLoss extends /* @__PURE__ */ tripleModule(cosineEmbeddingLoss) {}
