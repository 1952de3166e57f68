// Writes numbers that the host computes into a tensor, in place.
import { noGrad } from '../../core/autograd.ts';
import { BYTES, encode } from '../../core/dtype.ts';
import { ShapeError } from '../../core/errors.ts';
import { allocating } from '../../core/memory.ts';
import { uniformAt, nextKey, normalAt } from '../../core/random.ts';
import { formatShape } from '../../core/shape.ts';
import { fromHost, type Tensor } from '../../core/tensor.ts';
import { checkTensor } from '../../core/validate.ts';
import { copyOf } from '../../kernels/pointwise/basic.ts';

/** A live float tensor of one of the given ranks. */
export function checkTarget(
  op: string,
  tensor: unknown,
  [least, most]: readonly [number, number] = [0, Infinity],
): asserts tensor is Tensor {
  checkTensor(op, 'tensor', tensor);
  tensor.device.check(op);
  if (tensor.rank >= least && tensor.rank <= most) return;
  const range = most === least ? String(least) : most < Infinity ? `${least} to ${most}` : '';
  throw new ShapeError({
    op,
    argument: 'tensor',
    expected: `${range || `at least ${least}`} dimensions`,
    received: `shape ${formatShape(tensor.shape)}`,
  });
}

/** Fills a tensor with what `values` writes into an array of its size. Nothing has changed where that throws. */
export function fill(op: string, tensor: Tensor, values: (y: Float64Array) => void): Tensor {
  const { size, shape, dtype, device } = tensor;
  device.checkBytes(op, size * BYTES[dtype]);
  const data = allocating(op, 8 * size, () => {
    const y = new Float64Array(size);
    values(y);
    return encode(dtype, y);
  });
  return noGrad(() => {
    const from = fromHost(data, shape, dtype, device);
    try {
      copyOf(from, tensor);
    } finally {
      from.dispose();
    }
    return tensor;
  });
}

/** Numbers uniform in [from, to). */
export function drawUniform(y: Float64Array, from: number, to: number): void {
  const key = nextKey();
  for (let i = 0; i < y.length; i++) y[i] = from + (to - from) * uniformAt(key, i);
}

/** Numbers from a normal distribution. */
export function drawNormal(y: Float64Array, mean: number, std: number): void {
  const key = nextKey();
  for (let i = 0; i < y.length; i++) y[i] = mean + std * normalAt(key, i);
}
