import type { Tensor } from '../core/tensor.ts';
import { declareContrastive, defineContrastive, SHORT_ROWS } from '../define/contrastive.ts';
import { lossModule } from '../define/module.ts';
import { REDUCTIONS, type RowLossOptions } from '../define/reduction.ts';
import { softmaxForm } from '../kernels/contrastive/forms.ts';

/** Options of `supConLoss`. */
export interface SupConLossOptions extends RowLossOptions {
  /** What similarities are divided by, above 0. Defaults to 0.07. */
  temperature?: number;
  /** Losses are multiplied by temperature / baseTemperature. Above 0; defaults to 0.07. */
  baseTemperature?: number;
  /** Whether features are divided by their lengths first. Defaults to true. */
  normalize?: boolean;
}

const TEMPERATURE = { default: 0.07, min: 0, above: true } as const;

const declaration = /* @__PURE__ */ declareContrastive({
  name: 'supConLoss',
  form: softmaxForm,
  inputs: ['features', 'labels'],
  pairing: 'labels',
  params: {
    /** What similarities are divided by. */
    temperature: TEMPERATURE,
    /** Losses are multiplied by temperature / baseTemperature. */
    baseTemperature: TEMPERATURE,
    /** Whether embeddings are divided by their lengths first. */
    normalize: true,
  },
  reductions: REDUCTIONS,
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`-\frac{T}{T_0} \, \frac{1}{\lvert P(i) \rvert} \sum_{p \in P(i)} \log \frac{e^{\cos(z_i, z_p) / T}}{\sum_{k \ne i} e^{\cos(z_i, z_k) / T}}`,
    derivative: String.raw`\text{with respect to the cosines: } \tfrac{1}{T_0} \left(\mathrm{softmax}_{k \ne i}(\cos(z_i, z_k) / T) - \tfrac{[k \in P(i)]}{\lvert P(i) \rvert}\right)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'features [N, D] or [N, V, D], labels (int32) [N]; result: a scalar, or [N] or [N, V] with reduction `none`',
    cite: 'Khosla et al. 2020, Supervised Contrastive Learning (L_out); HobbitLong/SupContrast',
    kinks: SHORT_ROWS,
    use: 'Learns embeddings in which each class is a cluster, for a classifier on top or for looking up neighbours. Each batch needs several examples of a class. With few classes, all examples of a class may end in the same point.',
  },
});
export default declaration;

/**
 * Supervised contrastive loss: each feature is to be more similar to those with its label than to others. `features` are
 * [N, D], or [N, V, D] for V views of each example; `labels` int32 [N]. Per feature: less the mean, over the others with its
 * label, of the log-softmax over all others of their similarities (cosines, unless `normalize` is false) over the temperature,
 * times temperature / baseTemperature. A feature that nothing else has the label of costs 0. The matrix of similarities is never
 * held whole. Gradient for the features.
 *
 * @example supConLoss(project(x), labels, { temperature: 0.1 })
 */
export const supConLoss =
  /* @__PURE__ */ defineContrastive<
    [features: Tensor, labels: Tensor, options?: SupConLossOptions]
  >(declaration);

/** `supConLoss` as a module: `forward(features, labels)`. */
export class SupConLoss extends /* @__PURE__ */ lossModule(supConLoss) {}
