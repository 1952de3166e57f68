import { contrast } from '../define/contrastive.ts';
import { optionsFor } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import { warmUpPairs } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { softmaxForm } from '../kernels/contrastive/forms.ts';
import { contrastiveKernel } from '../kernels/contrastive/plan.ts';
import { Module } from '../nn/module.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { checkEmbeddings, checkNegatives } from './embedding-checks.ts';

const NAME = 'infoNceLoss';
const kernel = /* @__PURE__ */ contrastiveKernel(NAME, softmaxForm);
const specs = { temperature: { default: 0.1, min: 0, above: true }, normalize: true } as const;

/** Options of `infoNceLoss`. */
export interface InfoNceLossOptions {
  /** Embeddings [M, D] that no query belongs to. Without them the positives of other queries are the negatives. */
  negatives?: Tensor;
  /** What similarities are divided by, above 0. Defaults to 0.1. */
  temperature?: number;
  /** Whether embeddings are divided by their lengths first. Defaults to true. */
  normalize?: boolean;
  /** `'mean'` (default) over the queries, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

function apply(query: Tensor, positive: Tensor, options: InfoNceLossOptions = {}): Tensor {
  const others = ['negatives', 'reduction', 'out'];
  const { temperature, normalize } = resolveParams(NAME, specs, others, options);
  const { negatives, reduction = 'mean', out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  checkTensors(NAME, { query, positive, ...(negatives === undefined ? {} : { negatives }) });
  const [rows, features] = checkEmbeddings(NAME, { query, positive });
  if (negatives) checkNegatives(NAME, negatives, features);
  return contrast({
    kernel,
    pairing: negatives ? 'own' : 'rows',
    tensors: { left: query, right: positive, negatives },
    rows,
    columns: negatives?.shape[0] ?? rows,
    features,
    normalize: normalize === 1,
    scale: 1 / temperature,
    reduction,
    rowShape: [rows],
    out,
  });
}

/**
 * InfoNCE: each query [N, D] is to be more similar to its own positive [N, D] than to the positives of the others, or, where
 * they are given, to `negatives` [M, D]. It is the cross-entropy of the similarities (cosines, unless `normalize` is false) over
 * the temperature. The matrix of similarities is never held whole. Gradients for all embeddings.
 *
 * `infoNceLoss(query, key, { negatives: queue, temperature: 0.07 })`
 */
export const infoNceLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  reductions: REDUCTIONS,
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`-\log \frac{e^{q_i \cdot p_i / T}}{\sum_j e^{q_i \cdot p_j / T}}`,
    derivative: String.raw`\tfrac{1}{T} \sum_j \left(\mathrm{softmax}(q_i \cdot p / T)_j - \delta_{ij}\right) p_j`,
    range: String.raw`[0, \infty)`,
    shapes:
      'query and positive [N, D], negatives [M, D]; result: a scalar, or [N] with reduction `none`',
    torch: null,
    cite: 'van den Oord, Li & Vinyals 2018, Representation Learning with Contrastive Predictive Coding; He et al. 2020, Momentum Contrast',
    kinks:
      'a row shorter than 1e-12 is divided by 1e-12 instead of its length, and its gradient is that of this division',
    use: 'For embeddings that are learned without labels, from two views of the same thing. It needs many negatives: a large batch, or a queue of earlier examples. With a low temperature only the hardest negatives count, so it suffers if some of them are in truth similar.',
  },
  prepare: (device, dtype) => {
    for (const reduction of ['mean', 'none'] as const) {
      warmUpPairs(
        device,
        dtype,
        [
          [3, 3],
          [64, 64],
        ],
        (a, b) => apply(a, b, { reduction }),
      );
    }
  },
});

/** `infoNceLoss` as a module: `forward(query, positive)`, or with negatives of this call. */
export class InfoNceLoss extends Module {
  readonly #options: InfoNceLossOptions;

  constructor(options: Omit<InfoNceLossOptions, 'out'> = {}) {
    super();
    this.#options = optionsFor(NAME, options);
  }

  override forward(query: Tensor, positive: Tensor, negatives?: Tensor): Tensor {
    const given = negatives === undefined ? {} : { negatives };
    return infoNceLoss(query, positive, { ...this.#options, ...given });
  }
}
