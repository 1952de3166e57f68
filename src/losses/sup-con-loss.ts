import { contrast } from '../define/contrastive.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { encode } from '../core/dtype.ts';
import { softmaxForm } from '../kernels/contrastive/forms.ts';
import { contrastiveKernel } from '../kernels/contrastive/plan.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkDevice, checkShapeIs, checkTensor, checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { checkViews } from './embedding-checks.ts';

const NAME = 'supConLoss';
const kernel = /* @__PURE__ */ contrastiveKernel(NAME, softmaxForm);
const specs = {
  temperature: { default: 0.07, min: 0, above: true },
  baseTemperature: { default: 0.07, min: 0, above: true },
  normalize: true,
} as const;

/** Options of `supConLoss`. */
export interface SupConLossOptions {
  /** What similarities are divided by, above 0. Defaults to 0.07. */
  temperature?: number;
  /** Losses are multiplied by temperature / baseTemperature. Above 0; defaults to 0.07. */
  baseTemperature?: number;
  /** Whether features are divided by their lengths first. Defaults to true. */
  normalize?: boolean;
  /** `'mean'` (default) over all features, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

function apply(features: Tensor, labels: Tensor, options: SupConLossOptions = {}): Tensor {
  const params = resolveParams(NAME, specs, ['reduction', 'out'], options);
  const { temperature, baseTemperature, normalize } = params;
  const { reduction = 'mean', out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  checkTensors(NAME, { features });
  checkTensor(NAME, 'labels', labels, ['int32']);
  checkDevice(NAME, 'labels', labels, features.device);
  const { examples, views, length } = checkViews(NAME, { features });
  checkShapeIs(NAME, 'labels', labels, [examples]);
  const rows = examples * views;
  return contrast({
    kernel,
    pairing: 'labels',
    tensors: { left: features, labels },
    rows,
    columns: rows,
    features: length,
    views,
    normalize: normalize === 1,
    scale: 1 / temperature,
    factor: temperature / baseTemperature,
    reduction,
    rowShape: features.shape.slice(0, -1),
    out,
  });
}

/**
 * Supervised contrastive loss: each feature is to be more similar to those with its label than to others. `features` are
 * [N, D], or [N, V, D] for V views of each example; `labels` int32 [N]. Per feature: less the mean, over the others with its
 * label, of the log-softmax over all others of their similarities (cosines, unless `normalize` is false) over the temperature,
 * times temperature / baseTemperature. A feature that nothing else has the label of costs 0. The matrix of similarities is never
 * held whole. Gradient for the features.
 *
 * `supConLoss(project(x), labels, { temperature: 0.1 })`
 */
export const supConLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  reductions: REDUCTIONS,
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`-\frac{T}{T_0} \, \frac{1}{\lvert P(i) \rvert} \sum_{p \in P(i)} \log \frac{e^{\cos(z_i, z_p) / T}}{\sum_{k \ne i} e^{\cos(z_i, z_k) / T}}`,
    derivative: String.raw`\text{with respect to the cosines: } \tfrac{1}{T_0} \left(\mathrm{softmax}_{k \ne i}(\cos(z_i, z_k) / T) - \tfrac{[k \in P(i)]}{\lvert P(i) \rvert}\right)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'features [N, D] or [N, V, D], labels (int32) [N]; result: a scalar, or [N] or [N, V] with reduction `none`',
    torch: null,
    cite: 'Khosla et al. 2020, Supervised Contrastive Learning (L_out); HobbitLong/SupContrast',
    kinks:
      'a row shorter than 1e-12 is divided by 1e-12 instead of its length, and its gradient is that of this division',
    use: 'Learns embeddings in which each class is a cluster, for a classifier on top or for looking up neighbours. Each batch needs several examples of a class. With few classes, all examples of a class may end in the same point.',
  },
  prepare: (device, dtype) => {
    for (const n of [3, 64]) {
      const labels = fromHost(encode('int32', new Int32Array(n)), [n], 'int32', device);
      for (const reduction of ['mean', 'none'] as const) {
        warmUp(device, dtype, [[n, n]], (x) => apply(x, labels, { reduction }));
      }
    }
  },
});

/** `supConLoss` as a module: `forward(features, labels)`. */
export class SupConLoss extends /* @__PURE__ */ lossModule(supConLoss) {}
