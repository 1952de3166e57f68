// Elements of one tensor or another by a condition, with gradients.
import { isRecording, record } from '../core/autograd.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { encode, type DType } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import { broadcastShapes, sameShape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkDevice, checkOut, checkSameDType, checkTensor } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { sumTo } from '../kernels/reduce/sum-to.ts';
import type { OutOption } from './matmul.ts';

const choose: PointwiseOp = {
  name: 'where',
  params: { names: [] },
  inputs: ['condition', 'a', 'b'],
  results: 1,
  body: '  return Results(select(b, a, condition != 0));',
  reference: ([condition = NaN, a = NaN, b = NaN], r) => {
    r[0] = condition !== 0 ? a : b;
  },
  inPlace: [1],
};

/** The upstream gradient where the condition is as wanted, else 0. */
const gradWhere = (wanted: boolean): PointwiseOp => ({
  name: 'where',
  params: { names: [] },
  inputs: ['condition', 'g'],
  results: 1,
  body: `  return Results(select(0.0, g, condition ${wanted ? '!=' : '=='} 0));`,
  reference: ([condition = NaN, g = NaN], r) => {
    r[0] = (condition !== 0) === wanted ? g : 0;
  },
});

const gradOfA = /* @__PURE__ */ gradWhere(true);
const gradOfB = /* @__PURE__ */ gradWhere(false);

const DTYPES: readonly DType[] = ['float32', 'float16', 'int32'];

/** An operand that is a number, as a tensor. */
function scalar(argument: string, value: number, like: Tensor | null, on: Tensor): Tensor {
  const dtype = like?.dtype ?? 'float32';
  if (dtype === 'int32' && value !== (value | 0)) {
    throw new OptionError({
      op: 'where',
      argument,
      expected: 'an int32 number, beside an int32 tensor',
      received: String(value),
    });
  }
  return fromHost(encode(dtype, [value]), [], dtype, on.device);
}

/**
 * a where `condition`, an int32 tensor, is not 0, else b; all three broadcast as in PyTorch, and a and b, of one dtype, may be
 * numbers (float32 where both are). int32 as well. Gradient: to a where the condition holds, 0 elsewhere, and to b the other
 * way round; what is not chosen gets 0, even where it is NaN or infinite.
 *
 * @example where(tensor([1, 0], { dtype: 'int32' }), tensor([1, 2]), -Infinity) // [1, -Infinity]
 */
export function where(
  condition: Tensor,
  a: Tensor | number,
  b: Tensor | number,
  options: OutOption = {},
): Tensor {
  checkOptionNames('where', options, ['out']);
  checkTensor('where', 'condition', condition, ['int32']);
  const { device } = condition;
  const likeA = typeof a === 'number' ? null : a;
  const likeB = typeof b === 'number' ? null : b;
  if (typeof a !== 'number') {
    checkTensor('where', 'a', a, DTYPES);
    checkDevice('where', 'a', a, device);
  }
  if (typeof b !== 'number') {
    checkTensor('where', 'b', b, DTYPES);
    checkDevice('where', 'b', b, device);
    if (likeA) checkSameDType('where', 'b', b, likeA.dtype);
  }
  device.check('where');
  const first = broadcastShapes('where', [condition.shape, likeA?.shape ?? []], 'a');
  const shape = broadcastShapes('where', [first, likeB?.shape ?? []], 'b');
  const dtype = (likeA ?? likeB)?.dtype ?? 'float32';
  checkOut(
    'where',
    options.out,
    { device, dtype, shape },
    isRecording([likeA ?? undefined, likeB ?? undefined]),
  );
  const x = likeA ?? scalar('a', Number(a), likeB, condition);
  const y = likeB ?? scalar('b', Number(b), likeA, condition);
  const output = runOne(
    pointwise,
    { op: choose, params: {}, shape },
    [condition, x, y],
    options.out ?? { shape, dtype },
  );
  const likes = [x.like(), y.like()];
  const recorded = record(output, 'where', [x, y], [condition], (upstream, [saved], needs) =>
    [gradOfA, gradOfB].map((op, i) => {
      const like = likes[i];
      if (!needs[i] || !saved || !like) return null;
      // float32 where it is summed over broadcast dimensions, so that it is rounded once.
      const [grad] = run(
        pointwise,
        { op, params: {}, shape },
        [saved, upstream.tensor],
        [{ shape, dtype: sameShape(like.shape, shape) ? like.dtype : 'float32' }],
      );
      const summed = sumTo(grad, like.shape, like.dtype);
      grad.dispose();
      return summed;
    }),
  );
  if (!likeA) x.dispose();
  if (!likeB) y.dispose();
  return recorded;
}
