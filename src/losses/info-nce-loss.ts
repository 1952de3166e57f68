import type { Tensor } from '../core/tensor.ts';
import {
  declareContrastive,
  defineContrastive,
  negativesModule,
  SHORT_ROWS,
} from '../define/contrastive.ts';
import { REDUCTIONS, type RowLossOptions } from '../define/reduction.ts';
import { softmaxForm } from '../kernels/contrastive/forms.ts';

/** Options of `infoNceLoss`. */
export interface InfoNceLossOptions extends RowLossOptions {
  /** Embeddings [M, D] that no query belongs to. Without them the positives of other queries are the negatives. */
  negatives?: Tensor;
  /** What similarities are divided by, above 0. Defaults to 0.1. */
  temperature?: number;
  /** Whether embeddings are divided by their lengths first. Defaults to true. */
  normalize?: boolean;
}

const declaration = /* @__PURE__ */ declareContrastive({
  name: 'infoNceLoss',
  form: softmaxForm,
  inputs: ['query', 'positive'],
  pairing: 'rows',
  params: {
    /** What similarities are divided by. */
    temperature: { default: 0.1, min: 0, above: true },
    /** Whether embeddings are divided by their lengths first. */
    normalize: true,
  },
  negatives: true,
  reductions: REDUCTIONS,
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`-\log \frac{e^{q_i \cdot p_i / T}}{\sum_j e^{q_i \cdot p_j / T}}`,
    derivative: String.raw`\tfrac{1}{T} \sum_j \left(\mathrm{softmax}(q_i \cdot p / T)_j - \delta_{ij}\right) p_j`,
    range: String.raw`[0, \infty)`,
    shapes:
      'query and positive [N, D], negatives [M, D]; result: a scalar, or [N] with reduction `none`',
    cite: 'van den Oord, Li & Vinyals 2018, Representation Learning with Contrastive Predictive Coding; He et al. 2020, Momentum Contrast',
    kinks: SHORT_ROWS,
    use: 'For embeddings that are learned without labels, from two views of the same thing. It needs many negatives: a large batch, or a queue of earlier examples. With a low temperature only the hardest negatives count, so it suffers if some of them are in truth similar.',
  },
});
export default declaration;

/**
 * InfoNCE: each query [N, D] is to be more similar to its own positive [N, D] than to the positives of the others, or, where
 * they are given, to `negatives` [M, D]. It is the cross-entropy of the similarities (cosines, unless `normalize` is false) over
 * the temperature. The matrix of similarities is never held whole. Gradients for all embeddings.
 *
 * @example infoNceLoss(query, key, { negatives: queue, temperature: 0.07 })
 */
export const infoNceLoss =
  /* @__PURE__ */ defineContrastive<
    [query: Tensor, positive: Tensor, options?: InfoNceLossOptions]
  >(declaration);

/** `infoNceLoss` as a module: `forward(query, positive)`, or with negatives of this call. */
export class InfoNceLoss extends /* @__PURE__ */ negativesModule(infoNceLoss) {}
