// Dimensions in another order, with gradient.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { describe } from '../core/describe.ts';
import { runOne } from '../core/dispatcher.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import { collapse, formatShape, normalizeDim, stridesOf } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensor } from '../core/validate.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { view } from '../kernels/reduce/sum-to.ts';
import { stridedCopy } from '../kernels/strided/plan.ts';
import type { OutOption } from './matmul.ts';

/** Dimensions that a kernel walks through one by one. */
const MOST_DIMS = 8;

/** The same elements with dimension i of the result being dimension `dims[i]` of x. */
function reorder(op: string, x: Tensor, dims: readonly number[], out?: Tensor): Tensor {
  const { device, dtype } = x;
  const shape = dims.map((d) => x.shape[d] ?? 1);
  checkOut(op, out, { device, dtype, shape }, isRecording([x]));
  const strides = stridesOf(x.shape);
  const from = dims.map((d) => strides[d] ?? 1);
  const own = stridesOf(shape);
  const merged = collapse(shape, [from, own]).shape.length;
  if (merged > MOST_DIMS) {
    throw new ShapeError({
      op,
      argument: 'x',
      expected: `dimensions of which at most ${MOST_DIMS} remain where neighbours that stay together are merged`,
      received: formatShape(x.shape),
    });
  }
  // Where nothing moves, as only dimensions of 1 do, the memory is shared.
  const stays = !out && (merged <= 1 || x.size === 0);
  const part = {
    shape,
    from: { input: 0, offset: 0, strides: from },
    to: { offset: 0, strides: own },
  };
  const output = stays
    ? view(x, shape)
    : calling(op, () => runOne(stridedCopy, { parts: [part] }, [x], out ?? { shape, dtype }));
  const inverse = dims.map((_, d) => dims.indexOf(d));
  return record(output, op, [x], [], (upstream) => [reorder(op, upstream.tensor, inverse)]);
}

function checkInput(op: string, x: unknown, options: unknown): asserts x is Tensor {
  checkOptionNames(op, options, ['out']);
  checkTensor(op, 'x', x, ['float32', 'float16', 'int32']);
  x.device.check(op);
}

/**
 * The dimensions of `x` in another order: dimension i of the result is dimension `dims[i]` of `x`, negative ones counted from
 * the end. Any dtype. A copy, unless no element moves: then the memory is shared, as by `reshape`. Gradient: the upstream one
 * in the order of `x`.
 *
 * @example permute(zeros([2, 3, 4]), [2, 0, 1]).shape // [4, 2, 3]
 */
export function permute(x: Tensor, dims: readonly number[], options: OutOption = {}): Tensor {
  checkInput('permute', x, options);
  const given: unknown = dims;
  if (!Array.isArray(given) || Array.from<unknown>(given).some((d) => typeof d !== 'number')) {
    throw new OptionError({
      op: 'permute',
      argument: 'dims',
      expected: 'an array of numbers',
      received: describe(given),
    });
  }
  const order = dims.map((d) => normalizeDim('permute', d, x.rank, 'dims'));
  if (order.length !== x.rank || new Set(order).size !== order.length) {
    throw new OptionError({
      op: 'permute',
      argument: 'dims',
      expected: `each of the ${x.rank} dimensions once`,
      received: describe(given),
    });
  }
  return reorder('permute', x, order, options.out);
}

/**
 * `x` with two dimensions exchanged, negative ones counted from the end. Any dtype. A copy, unless no element moves. Gradient:
 * the upstream one, exchanged back. (`matmul` and `linear` read transposed matrices in place and need no copy of them.)
 *
 * @example transpose(tensor([[1, 2], [3, 4]]), 0, 1) // [[1, 3], [2, 4]]
 */
export function transpose(x: Tensor, dim0: number, dim1: number, options: OutOption = {}): Tensor {
  checkInput('transpose', x, options);
  checkNumber('transpose', 'dim0', dim0, { integer: true });
  checkNumber('transpose', 'dim1', dim1, { integer: true });
  const [first, second] = [
    normalizeDim('transpose', dim0, x.rank, 'dim0'),
    normalizeDim('transpose', dim1, x.rank, 'dim1'),
  ];
  const order = x.shape.map((_, d) => (d === first ? second : d === second ? first : d));
  return reorder('transpose', x, order, options.out);
}
