import type { Tensor } from '../core/tensor.ts';
import { declareContrastive, defineContrastive } from '../define/contrastive.ts';
import { lossModule } from '../define/module.ts';
import { softmaxForm } from '../kernels/contrastive/forms.ts';

/** Options of `clipLoss`. */
export interface ClipLossOptions {
  /** What similarities are multiplied by: a number, or a scalar tensor, which then has a gradient. Defaults to 1 / 0.07. */
  logitScale?: number | Tensor;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const declaration = /* @__PURE__ */ declareContrastive({
  name: 'clipLoss',
  form: softmaxForm,
  inputs: ['image', 'text'],
  pairing: 'both',
  scalars: { logitScale: 1 / 0.07 },
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-\frac{1}{2N} \sum_i \bigl(\log \mathrm{softmax}(z_i)_i + \log \mathrm{softmax}(z^\top_i)_i\bigr), \quad z = s \, x y^\top`,
    derivative: String.raw`\tfrac{s}{2N} \sum_j \left(\mathrm{softmax}(z_i)_j + \mathrm{softmax}(z^\top_j)_i - 2 \delta_{ij}\right) y_j`,
    range: String.raw`[0, \infty)`,
    shapes: 'image and text [N, D], logitScale a scalar; result: a scalar',
    cite: 'Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision; open_clip',
    use: 'Trains two encoders so that the embeddings of a pair, such as an image and its text, agree. All other pairs of the batch are negatives, so it needs large batches, and it counts other pairs that also fit together as wrong. Normalise the embeddings. A learned logitScale keeps growing, so limit it (to 100).',
  },
});
export default declaration;

/**
 * The loss of CLIP: each image [N, D] is to be more similar to its own text [N, D] than to the others, and each text to its own
 * image: the mean of two cross-entropies, over the rows and over the columns of z = logitScale · image textᵀ. Embeddings are
 * taken as they are: `normalize` them before. The matrix of similarities is never held whole. Gradients for both, and for
 * `logitScale` if it is a tensor.
 *
 * @example clipLoss(normalize(image), normalize(text), { logitScale: exp(t) })
 */
export const clipLoss =
  /* @__PURE__ */ defineContrastive<[image: Tensor, text: Tensor, options?: ClipLossOptions]>(
    declaration,
  );

/** `clipLoss` as a module: `forward(image, text)`. */
export class ClipLoss extends /* @__PURE__ */ lossModule(clipLoss) {}
