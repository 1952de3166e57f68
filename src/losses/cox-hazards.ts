// What a call of coxPhLoss is for its kernels: for its function, and for what is planned of it without one.
import { ShapeError } from '../core/errors.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import { checkShapeIs } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { nonzero, overCount } from '../define/counts.ts';
import { resolveParams } from '../define/params.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import type { CoxArgs } from '../kernels/cox/plan.ts';
import type { PointwiseArgs, PointwiseOp } from '../kernels/pointwise/args.ts';

export const NAME = 'coxPhLoss';
const isEvent = /* @__PURE__ */ nonzero(NAME, 'mask');
const share = /* @__PURE__ */ overCount(NAME);
const total: PointwiseOp = {
  name: NAME,
  params: { names: [] },
  results: 1,
  inputs: ['x'],
  body: '  return Results(x);',
  unary: (x) => x,
};

export interface CoxCall {
  readonly reduction: Reduction;
  /** The shape of the result. */
  readonly shape: Shape;
  /** Of the kernel: forward with the gradient of an upstream gradient of 1 or without it, or backward. */
  readonly args: (backward: boolean, grad: boolean) => CoxArgs;
  /** Of the number of events, which a mean divides by; else null. */
  readonly count: PointwiseArgs | null;
  /** Of the result, from the losses and that number; null where the losses are the result. */
  readonly reduce: PointwiseArgs | null;
}

interface Seen {
  readonly shape: Shape;
}

/** What a call is. Throws for what it refuses but for the tensors' dtypes and devices. */
export function coxCall(
  options: object,
  others: readonly string[],
  { input, time, event }: Readonly<Record<'input' | 'time' | 'event', Seen>>,
): CoxCall {
  resolveParams(NAME, {}, ['reduction', ...others], options);
  const { reduction = 'mean' } = options as { readonly reduction?: Reduction };
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const { shape } = input;
  const [n] = shape;
  if (shape.length !== 1 || n === undefined) {
    const received = `shape ${formatShape(shape)}`;
    throw new ShapeError({ op: NAME, argument: 'input', expected: 'shape [N]', received });
  }
  checkShapeIs(NAME, 'time', time, shape);
  checkShapeIs(NAME, 'event', event, shape);
  const reduced = reduction !== 'none';
  const mean = reduction === 'mean';
  const sum = { params: {}, shape, sum: 1 };
  return {
    reduction,
    shape: reduced ? [] : shape,
    args: (backward, grad) => ({
      n,
      loss: !backward,
      grad,
      count: mean,
      upstream: !backward ? 'none' : reduced ? 'one' : 'each',
    }),
    count: mean ? { ...sum, op: isEvent } : null,
    reduce: reduced ? { ...sum, op: mean ? share : total } : null,
  };
}
