// The WGSL that ops on pairs of rows share, as Sources that they include.
import rowCosineText from '../../../shaders/kernels/pair-rows/cosine.wgsl?raw';
import rowNormsText from '../../../shaders/kernels/pair-rows/norms.wgsl?raw';
import { bits, pow, sqrt } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';

/** `norm_of`, `norm_grad`: p-norms of differences. */
export const rowNorms = /* @__PURE__ */ source('kernels/pair-rows/norms.wgsl', rowNormsText, [
  bits,
  pow,
  sqrt,
]);
/** `cosine_of`, `cosine_grad`. */
export const rowCosine = /* @__PURE__ */ source('kernels/pair-rows/cosine.wgsl', rowCosineText, [
  bits,
  sqrt,
]);
