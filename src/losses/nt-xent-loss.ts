import type { Tensor } from '../core/tensor.ts';
import { declareContrastive, defineContrastive, SHORT_ROWS } from '../define/contrastive.ts';
import { lossModule } from '../define/module.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { softmaxForm } from '../kernels/contrastive/forms.ts';

/** Options of `ntXentLoss`. */
export interface NtXentLossOptions {
  /** What cosines are divided by, above 0. Defaults to 0.5. */
  temperature?: number;
  /** `'mean'` (default) over the 2N embeddings, `'sum'`, or `'none'` for the loss of each: z1's, then z2's. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const declaration = /* @__PURE__ */ declareContrastive({
  name: 'ntXentLoss',
  form: softmaxForm,
  inputs: ['z1', 'z2'],
  pairing: 'views',
  params: {
    /** What similarities are divided by. */
    temperature: { default: 0.5, min: 0, above: true },
  },
  reductions: REDUCTIONS,
  normalized: true,
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`-\log \frac{e^{\cos(z_i, z_{i'}) / T}}{\sum_{k \ne i} e^{\cos(z_i, z_k) / T}}`,
    derivative: String.raw`\text{with respect to the cosines: } \tfrac{1}{T} \left(\mathrm{softmax}_{k \ne i}(\cos(z_i, z_k) / T) - \delta_{k i'}\right)`,
    range: String.raw`[0, \infty)`,
    shapes: 'z1 and z2 [N, D]; result: a scalar, or [2N] with reduction `none`',
    cite: 'Chen, Kornblith, Norouzi & Hinton 2020, A Simple Framework for Contrastive Learning of Visual Representations; Sohn 2016',
    kinks: SHORT_ROWS,
    use: 'Learns embeddings without labels, from two random views of each example. It needs batches of hundreds or thousands, strong augmentation, and a small network between the embedding and the loss, which is removed after training.',
  },
});
export default declaration;

/**
 * The loss of SimCLR: of the embeddings z1 and z2 [N, D] of two views of N examples, each is to be more similar to the other
 * view of its example than to all the other 2N - 2: the cross-entropy of their cosines over the temperature, an embedding
 * itself left out. The matrix of similarities is never held whole. Gradients for both.
 *
 * @example ntXentLoss(project(augment(x)), project(augment(x)))
 */
export const ntXentLoss =
  /* @__PURE__ */ defineContrastive<[z1: Tensor, z2: Tensor, options?: NtXentLossOptions]>(
    declaration,
  );

/** `ntXentLoss` as a module: `forward(z1, z2)`. */
export class NtXentLoss extends /* @__PURE__ */ lossModule(ntXentLoss) {}
