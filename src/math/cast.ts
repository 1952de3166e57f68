// Tensors in another dtype, with gradient between the float ones.
import wgsl from '../../shaders/math/cast.wgsl?raw';
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { runOne } from '../core/dispatcher.ts';
import type { DType } from '../core/dtype.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDType, checkOut, checkTensor } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import { identity } from '../kernels/pointwise/identity.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { bits } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import type { OutOption } from './matmul.ts';

const own = {
  name: 'cast',
  source: /* @__PURE__ */ source('math/cast.wgsl', wgsl, [bits]),
  params: { names: [] },
  inputs: ['x'],
  results: 1,
} as const;

const toInteger = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1);

const floatToInteger: PointwiseOp = {
  ...own,
  body: '  return Results(int_of(x));',
  reference: ([x = NaN], r) => {
    r[0] = toInteger(x);
  },
  unary: toInteger,
};

const integerToFloat: PointwiseOp = {
  ...own,
  body: '  return Results(float_of(x));',
  reference: ([x = NaN], r) => {
    r[0] = x;
  },
  unary: (x) => x,
};

/**
 * The same numbers as `dtype` (`'float32'`, `'float16'` or `'int32'`), each rounded once; a tensor of that dtype is returned as
 * it is, unless there is an `out`. Of floats as int32 what is behind the point is dropped, what is beyond int32 is the nearest
 * int32, and NaN is 0 (PyTorch leaves both open). Gradient: gradOutput in the dtype of `x`; none through int32.
 *
 * @example cast(tensor([1.75, -2.5]), 'int32') // [1, -2]
 */
export function cast(x: Tensor, dtype: DType, options: OutOption = {}): Tensor {
  checkOptionNames('cast', options, ['out']);
  checkTensor('cast', 'x', x, ['float32', 'float16', 'int32']);
  x.device.check('cast');
  checkDType('cast', dtype);
  const { device, shape, dtype: from } = x;
  const { out } = options;
  checkOut('cast', out, { device, dtype, shape }, dtype !== 'int32' && isRecording([x]));
  if (dtype === from && !out) return x;
  const op =
    dtype === from
      ? identity
      : dtype === 'int32'
        ? floatToInteger
        : from === 'int32'
          ? integerToFloat
          : identity;
  const output = calling('cast', () =>
    runOne(pointwise, { op, params: {}, shape }, [x], out ?? { shape, dtype }),
  );
  if (dtype === 'int32') return output;
  return record(output, 'cast', [x], [], (upstream) => [castTo(upstream.tensor, from)]);
}
