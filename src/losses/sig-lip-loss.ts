import type { Tensor } from '../core/tensor.ts';
import { declareContrastive, defineContrastive } from '../define/contrastive.ts';
import { lossModule } from '../define/module.ts';
import { logisticForm } from '../kernels/contrastive/forms.ts';

/** Options of `sigLipLoss`. */
export interface SigLipLossOptions {
  /** What similarities are multiplied by: a number, or a scalar tensor, which then has a gradient. Defaults to 10. */
  logitScale?: number | Tensor;
  /** What is added then: a number, or a scalar tensor, which then has a gradient. Defaults to -10. */
  logitBias?: number | Tensor;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const declaration = /* @__PURE__ */ declareContrastive({
  name: 'sigLipLoss',
  form: logisticForm,
  inputs: ['image', 'text'],
  pairing: 'logistic',
  scalars: { logitScale: 10, logitBias: -10 },
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-\frac{1}{N} \sum_{i,j} \log \sigma\left((2 \delta_{ij} - 1) z_{ij}\right), \quad z = s \, x y^\top + b`,
    derivative: String.raw`\tfrac{s}{N} \sum_j \left(\sigma(z_{ij}) - \delta_{ij}\right) y_j`,
    range: String.raw`[0, \infty)`,
    shapes: 'image and text [N, D], logitScale and logitBias scalars; result: a scalar',
    cite: 'Zhai, Mustafa, Kolesnikov & Beyer 2023, Sigmoid Loss for Language Image Pre-Training; big_vision, open_clip',
    use: 'Like clipLoss, but for batches of any size, because it judges each pair by itself. Almost all pairs are negative. Start with a low bias (-10); otherwise the first steps are spent on learning the bias.',
  },
});
export default declaration;

/**
 * The loss of SigLIP: each pair of an image and a text [N, D] is a question of its own, whether they belong together:
 * -1/N Σ log sigmoid(±z), + for images with their own texts, z = logitScale · image textᵀ + logitBias. Embeddings are taken as
 * they are: `normalize` them before. The matrix of similarities is never held whole. Gradients for both, and for `logitScale`
 * and `logitBias` where they are tensors.
 *
 * @example sigLipLoss(normalize(image), normalize(text), { logitScale: exp(t), logitBias: b })
 */
export const sigLipLoss =
  /* @__PURE__ */ defineContrastive<[image: Tensor, text: Tensor, options?: SigLipLossOptions]>(
    declaration,
  );

/** `sigLipLoss` as a module: `forward(image, text)`. */
export class SigLipLoss extends /* @__PURE__ */ lossModule(sigLipLoss) {}
