// The forms of contrastive losses, as WGSL for the kernel.
import logisticText from '../../../shaders/kernels/contrastive/logistic.wgsl?raw';
import softmaxText from '../../../shaders/kernels/contrastive/softmax.wgsl?raw';
import { bits, exp, expm1, log1p, sigmoid, softplus } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';

/** The log-softmax of a row or column, less the mean of its positives. */
export const softmaxForm = /* @__PURE__ */ source('kernels/contrastive/softmax.wgsl', softmaxText, [
  bits,
  exp,
  expm1,
  log1p,
]);
/** The log-sigmoid of each pair. */
export const logisticForm = /* @__PURE__ */ source(
  'kernels/contrastive/logistic.wgsl',
  logisticText,
  [sigmoid, softplus],
);
