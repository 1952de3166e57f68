// The WGSL that ops on pairs of rows share, as Sources that they include.
import rowBoxesText from '../../../shaders/kernels/pair-rows/boxes.wgsl?raw';
import centerDistanceText from '../../../shaders/kernels/pair-rows/center-distance.wgsl?raw';
import rowCosineText from '../../../shaders/kernels/pair-rows/cosine.wgsl?raw';
import rowDistanceText from '../../../shaders/kernels/pair-rows/distance.wgsl?raw';
import rowNormsText from '../../../shaders/kernels/pair-rows/norms.wgsl?raw';
import { bits, div, pow, sqrt } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';

/** `norm_of`, `norm_grad`: p-norms of differences. */
export const rowNorms = /* @__PURE__ */ source('kernels/pair-rows/norms.wgsl', rowNormsText, [
  bits,
  pow,
  sqrt,
]);
/** `compare`, of two rows by their distance, whose loss the op gives. */
export const rowDistance = /* @__PURE__ */ source(
  'kernels/pair-rows/distance.wgsl',
  rowDistanceText,
  [rowNorms],
);
/** `cosine_of`, `cosine_grad`. */
export const rowCosine = /* @__PURE__ */ source('kernels/pair-rows/cosine.wgsl', rowCosineText, [
  bits,
  sqrt,
]);
/** `compare`, of two boxes: their overlap, and a penalty that the op adds. */
export const rowBoxes = /* @__PURE__ */ source('kernels/pair-rows/boxes.wgsl', rowBoxesText, [
  bits,
  div,
]);
/** `apart_of`, `apart_grad`: how far apart the centres of two boxes are. */
export const centerDistance = /* @__PURE__ */ source(
  'kernels/pair-rows/center-distance.wgsl',
  centerDistanceText,
  [div],
);
