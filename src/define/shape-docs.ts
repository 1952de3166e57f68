// What the documentation of several losses says of their shapes. The build removes it with the documentation.

/** Of losses of input and target. */
export const BROADCAST =
  'input and target broadcast to each other; result: a scalar, or their broadcast shape with reduction `none`';

/** Of losses whose tensors all have one shape. */
export const ALIKE =
  'all tensors of the same shape; result: a scalar, or that shape with reduction `none`';

/** Of those of cosines. */
export const COSINES =
  'input (cosines) [N, C, d1, …] or [C], target (int32) [N, d1, …] or a scalar, weight [C]; result: a scalar, or with reduction `none` the shape of target';

/** Of classification losses. */
export const CLASSES =
  'input [N, C, d1, …] or [C], target (int32) [N, d1, …] or a scalar, weight [C]; result: a scalar, or with reduction `none` the shape of target';
