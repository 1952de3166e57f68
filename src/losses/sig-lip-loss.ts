import { contrast, scalarOf } from '../define/contrastive.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { warmUpPairs } from '../define/prepare.ts';
import { logisticForm } from '../kernels/contrastive/forms.ts';
import { contrastiveKernel } from '../kernels/contrastive/plan.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensors } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';
import { checkEmbeddings } from './embedding-checks.ts';

const NAME = 'sigLipLoss';
const kernel = /* @__PURE__ */ contrastiveKernel(NAME, logisticForm);

/** Options of `sigLipLoss`. */
export interface SigLipLossOptions {
  /** What similarities are multiplied by: a number, or a scalar tensor, which then has a gradient. Defaults to 10. */
  logitScale?: number | Tensor;
  /** What is added then: a number, or a scalar tensor, which then has a gradient. Defaults to -10. */
  logitBias?: number | Tensor;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

function apply(image: Tensor, text: Tensor, options: SigLipLossOptions = {}): Tensor {
  checkOptionNames(NAME, options, ['logitScale', 'logitBias', 'out']);
  const { logitScale = 10, logitBias = -10, out } = options;
  const scale = scalarOf(NAME, 'logitScale', logitScale);
  const bias = scalarOf(NAME, 'logitBias', logitBias);
  checkTensors(NAME, {
    image,
    text,
    ...(scale.tensor ? { logitScale: scale.tensor } : {}),
    ...(bias.tensor ? { logitBias: bias.tensor } : {}),
  });
  const [rows, features] = checkEmbeddings(NAME, { image, text });
  return contrast({
    kernel,
    pairing: 'logistic',
    tensors: { left: image, right: text, scale: scale.tensor, bias: bias.tensor },
    rows,
    columns: rows,
    features,
    scale: scale.number,
    bias: bias.number,
    out,
  });
}

/**
 * The loss of SigLIP: each pair of an image and a text [N, D] is a question of its own, whether they belong together:
 * -1/N Σ log sigmoid(±z), + for images with their own texts, z = logitScale · image textᵀ + logitBias. Embeddings are taken as
 * they are: `normalize` them before. The matrix of similarities is never held whole. Gradients for both, and for `logitScale`
 * and `logitBias` where they are tensors.
 *
 * `sigLipLoss(normalize(image), normalize(text), { logitScale: exp(t), logitBias: b })`
 */
export const sigLipLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: {},
  reductions: [],
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-\frac{1}{N} \sum_{i,j} \log \sigma\left((2 \delta_{ij} - 1) z_{ij}\right), \quad z = s \, x y^\top + b`,
    derivative: String.raw`\tfrac{s}{N} \sum_j \left(\sigma(z_{ij}) - \delta_{ij}\right) y_j`,
    range: String.raw`[0, \infty)`,
    shapes: 'image and text [N, D], logitScale and logitBias scalars; result: a scalar',
    torch: null,
    cite: 'Zhai, Mustafa, Kolesnikov & Beyer 2023, Sigmoid Loss for Language Image Pre-Training; big_vision, open_clip',
    use: 'Like clipLoss, but for batches of any size, because it judges each pair by itself. Almost all pairs are negative. Start with a low bias (-10); otherwise the first steps are spent on learning the bias.',
  },
  prepare: (device, dtype) => {
    warmUpPairs(
      device,
      dtype,
      [
        [3, 3],
        [64, 64],
      ],
      (a, b) => apply(a, b),
    );
  },
});

/** `sigLipLoss` as a module: `forward(image, text)`. */
export class SigLipLoss extends /* @__PURE__ */ lossModule(sigLipLoss) {}
