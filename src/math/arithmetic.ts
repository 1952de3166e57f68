// Sum, difference, product, quotient, maximum and minimum of two tensors that broadcast, or of a tensor and a number, with
// gradients.
import maximumText from '../../shaders/math/maximum.wgsl?raw';
import { isRecording, record } from '../core/autograd.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { encode } from '../core/dtype.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { sumTo } from '../kernels/reduce/sum-to.ts';
import { bits } from '../shader/lib.ts';
import { source, type Source } from '../shader/link.ts';
import { broadcastShapes, sameShape } from '../core/shape.ts';
import { fromHost, Tensor } from '../core/tensor.ts';
import { checkOut, checkTensor, checkTensors } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';
import type { OutOption } from './matmul.ts';

interface Formula {
  /** WGSL functions that the others call. */
  readonly source?: Source;
  /** WGSL of the result, and of the gradients with respect to a and b, from a, b and the upstream gradient g. */
  readonly wgsl: readonly [result: string, gradA: string, gradB: string];
  readonly result: (a: number, b: number) => number;
  readonly gradients: (a: number, b: number, g: number) => readonly [number, number];
}

/** A function of two tensors that broadcast to each other, either of which may be a number. */
export type Arithmetic = (a: Tensor | number, b: Tensor | number, options?: OutOption) => Tensor;

function defineArithmetic(name: string, formula: Formula): Arithmetic {
  const { wgsl, result, gradients } = formula;
  const own = formula.source ? { source: formula.source } : {};
  const forward: PointwiseOp = {
    name,
    ...own,
    params: { names: [] },
    inputs: ['a', 'b'],
    results: 1,
    body: `  return Results(${wgsl[0]});`,
    binary: result,
    inPlace: [0],
  };
  const [backwardA, backwardB] = ([0, 1] as const).map((operand): PointwiseOp => ({
    name,
    ...own,
    params: { names: [] },
    inputs: ['a', 'b', 'g'],
    results: 1,
    body: `  return Results(${wgsl[operand + 1] ?? ''});`,
    reference: ([a = NaN, b = NaN, g = NaN], r) => {
      r[0] = gradients(a, b, g)[operand];
    },
  }));
  return (left, right, options = {}) => {
    checkOptionNames(name, options, ['out']);
    const like = left instanceof Tensor ? left : right;
    checkTensor(name, left instanceof Tensor ? 'a' : 'b', like);
    const [a, b] = [left, right].map((operand) =>
      typeof operand === 'number'
        ? fromHost(encode(like.dtype, [operand]), [], like.dtype, like.device)
        : operand,
    ) as [Tensor, Tensor];
    const device = checkTensors(name, { a, b });
    const shape = broadcastShapes(name, [a.shape, b.shape], 'b');
    checkOut(name, options.out, { device, dtype: a.dtype, shape }, isRecording([a, b]));
    const output = runOne(
      pointwise,
      { op: forward, params: {}, shape },
      [a, b],
      options.out ?? { shape, dtype: a.dtype },
    );
    const recorded = record(output, name, [a, b], [a, b], (upstream, saved, needs) =>
      [backwardA, backwardB].map((op, i) => {
        const operand = saved[i];
        if (!needs[i] || !operand || !op) return null;
        // float32 where it is summed over broadcast dimensions, so that it is rounded once.
        const dtype = sameShape(operand.shape, shape) ? operand.dtype : 'float32';
        const [grad] = run(
          pointwise,
          { op, params: {}, shape },
          [...saved, upstream.tensor],
          [{ shape, dtype }],
        );
        const summed = sumTo(grad, operand.shape, operand.dtype);
        grad.dispose();
        return summed;
      }),
    );
    if (typeof left === 'number') a.dispose();
    if (typeof right === 'number') b.dispose();
    return recorded;
  };
}

/**
 * a + b, broadcast as in PyTorch; either may be a number.
 *
 * @example add(x, 1)
 */
export const add = /* @__PURE__ */ defineArithmetic('add', {
  wgsl: ['a + b', 'g', 'g'],
  result: (a, b) => a + b,
  gradients: (_a, _b, g) => [g, g],
});

/**
 * a - b, broadcast as in PyTorch; either may be a number.
 *
 * @example sub(x, y)
 */
export const sub = /* @__PURE__ */ defineArithmetic('sub', {
  wgsl: ['a - b', 'g', '-g'],
  result: (a, b) => a - b,
  gradients: (_a, _b, g) => [g, -g],
});

/**
 * a · b by element, broadcast as in PyTorch; either may be a number.
 *
 * @example mul(x, y)
 */
export const mul = /* @__PURE__ */ defineArithmetic('mul', {
  wgsl: ['a * b', 'b * g', 'a * g'],
  result: (a, b) => a * b,
  gradients: (a, b, g) => [b * g, a * g],
});

/**
 * a / b by element, broadcast as in PyTorch; either may be a number.
 *
 * @example div(x, 2)
 */
export const div = /* @__PURE__ */ defineArithmetic('div', {
  wgsl: ['a / b', 'g / b', '-(a / b) * (g / b)'],
  result: (a, b) => a / b,
  gradients: (a, b, g) => [g / b, (-a / b) * (g / b)],
});

const maximumSource = /* @__PURE__ */ source('math/maximum.wgsl', maximumText, [bits]);

/**
 * The larger of a and b by element, broadcast as in PyTorch; either may be a number. NaN if either is; 0 is larger than -0.
 * Gradient: to the larger; half to each where they are equal, all to both where one is NaN.
 *
 * @example maximum(tensor([1, 5]), 3) // [3, 5]
 */
export const maximum = /* @__PURE__ */ defineArithmetic('maximum', {
  source: maximumSource,
  wgsl: ['maximum_of(a, b)', 'maximum_grad(a, b, g)', 'maximum_grad(b, a, g)'],
  result: (a, b) => Math.max(a, b),
  gradients: (a, b, g) => [a < b ? 0 : a === b ? g / 2 : g, b < a ? 0 : a === b ? g / 2 : g],
});

/**
 * The smaller of a and b by element, broadcast as in PyTorch; either may be a number. NaN if either is; -0 is smaller than 0.
 * Gradient: to the smaller; half to each where they are equal, all to both where one is NaN.
 *
 * @example minimum(tensor([1, 5]), 3) // [1, 3]
 */
export const minimum = /* @__PURE__ */ defineArithmetic('minimum', {
  source: maximumSource,
  wgsl: ['minimum_of(a, b)', 'minimum_grad(a, b, g)', 'minimum_grad(b, a, g)'],
  result: (a, b) => Math.min(a, b),
  gradients: (a, b, g) => [a > b ? 0 : a === b ? g / 2 : g, b > a ? 0 : a === b ? g / 2 : g],
});
