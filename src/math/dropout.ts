// Dropout: drops elements at random and scales up the others; with gradient.
import wgsl from '../../shaders/math/dropout.wgsl?raw';
import { isRecording, record } from '../core/autograd.ts';
import { checkInPlace, recordInPlace, type InPlaceOption } from '../define/in-place.ts';
import { runOne } from '../core/dispatcher.ts';
import { threefry } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { uniformAt, withKey } from '../core/random.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';

const op: PointwiseOp = {
  name: 'dropout',
  source: /* @__PURE__ */ source('math/dropout.wgsl', wgsl, [threefry]),
  params: { names: ['p', 'scale', 'key0', 'key1'], integers: ['key0', 'key1'] },
  inputs: ['x'],
  results: 1,
  body: '  return Results(forward(x, index, p));',
  reference: ([x = NaN], r, { p = 0, scale = 1, key0 = 0, key1 = 0 }, index) => {
    r[0] = uniformAt([key0, key1], index) >= p ? x * scale : 0;
  },
  inPlace: [0],
};

/** Options of `dropout`. */
export interface DropoutOptions extends InPlaceOption {
  /** Probability of dropping an element, from 0 to 1. Defaults to 0.5. */
  p?: number;
  /** Whether to drop at all; otherwise `x` is returned as it is. Defaults to true. */
  training?: boolean;
  /** Written instead of a new tensor; may be `x` itself. Only where no gradient is recorded. */
  out?: Tensor;
}

/**
 * Sets each element to 0 with probability p and multiplies the others by 1 / (1 - p). Repeatable with `manualSeed`.
 *
 * @example dropout(x, { p: 0.1, training: true })
 */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  checkOptionNames('dropout', options, ['p', 'training', 'inplace', 'out']);
  const { p = 0.5, training = true, out } = options;
  checkNumber('dropout', 'p', p, { min: 0, max: 1 });
  checkBoolean('dropout', 'training', training);
  checkTensors('dropout', { x });
  const recording = isRecording([x]);
  checkOut('dropout', out, x, recording);
  const over = checkInPlace('dropout', options, x, recording && training);
  if (!training && !out) return x;
  const rate = training ? p : 0;
  const scale = rate < 1 ? 1 / (1 - rate) : 0;
  const params = withKey(([key0, key1]) => ({ p: rate, scale, key0, key1 }));
  const args = { op, params, shape: x.shape };
  const like = x.like();
  const output = runOne(pointwise, args, [x], over ? x : (out ?? like));
  return (over ? recordInPlace : record)(output, 'dropout', [x], [], (upstream) => [
    runOne(pointwise, args, [upstream.tensor], like),
  ]);
}
