// Calls losses of the similarities of all rows with all columns, with their reduction and gradients. Arguments are already
// checked.
import { describe } from '../core/describe.ts';
import { run } from '../core/dispatcher.ts';
import { DTypeError } from '../core/errors.ts';
import type { Kernel } from '../core/kernel.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkShapeIs } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';
import { isTensor } from '../core/is-tensor.ts';
import type { ContrastiveArgs, Pairing, TensorName } from '../kernels/contrastive/args.ts';
import { mul } from '../math/arithmetic.ts';
import { likesOf, planGradients, recordFused } from './fused-gradient.ts';

/** Bytes of similarities that are in memory at a time. */
const MEMORY_BUDGET = 2 ** 22;

/** The tensors of a call, in the order in which the kernel gets them. Labels have no gradient. */
export interface ContrastiveTensors {
  readonly left: Tensor;
  readonly right?: Tensor | undefined;
  readonly negatives?: Tensor | undefined;
  readonly labels?: Tensor | undefined;
  readonly scale?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
}

export interface ContrastiveCall extends Partial<
  Pick<ContrastiveArgs, 'views' | 'normalize' | 'scale' | 'bias' | 'factor' | 'reduction'>
> {
  readonly kernel: Kernel<ContrastiveArgs>;
  readonly pairing: Pairing;
  readonly tensors: ContrastiveTensors;
  /** Rows, columns and elements of an embedding. */
  readonly rows: number;
  readonly columns: number;
  readonly features: number;
  /** The shape of the losses of all rows. */
  readonly rowShape?: Shape;
  readonly out?: Tensor | undefined;
}

/** Checks an option that is a number, or a scalar tensor, which then has a gradient; returns the number, or the tensor. */
export function scalarOf(
  op: string,
  argument: string,
  value: unknown,
): { number: number; tensor: Tensor | undefined } {
  if (isTensor(value)) {
    checkShapeIs(op, argument, value, []);
    return { number: 1, tensor: value };
  }
  if (typeof value !== 'number') {
    throw new DTypeError({
      op,
      argument,
      expected: 'a number or a scalar tensor',
      received: describe(value),
    });
  }
  checkNumber(op, argument, value);
  return { number: value, tensor: undefined };
}

export function contrast(call: ContrastiveCall): Tensor {
  const { kernel, tensors, pairing, rows, columns, features, rowShape = [], out } = call;
  const {
    reduction = 'mean',
    views = 1,
    normalize = false,
    scale = 1,
    bias = 0,
    factor = 1,
  } = call;
  const { left, right, negatives, labels, scale: scaleOf, bias: biasOf } = tensors;
  const ordered: Readonly<Record<string, Tensor | undefined>> = {
    left,
    right,
    negatives,
    labels,
    scale: scaleOf,
    bias: biasOf,
  };
  const given = Object.entries(ordered).flatMap(([name, tensor]) =>
    tensor ? [{ name: name as TensorName, tensor }] : [],
  );
  const inputs = given.filter(({ name }) => name !== 'labels');
  const differentiable = inputs.map(({ tensor }) => tensor);
  const plan = planGradients(differentiable, reduction);
  const like = {
    device: left.device,
    dtype: left.dtype,
    shape: reduction === 'none' ? rowShape : [],
  };
  checkOut(kernel.name, out, like, plan.recording);

  const names = (wanted: readonly boolean[]): TensorName[] =>
    inputs.flatMap(({ name }, i) => (wanted[i] ? [name] : []));
  const base = {
    pairing,
    rows,
    columns,
    features,
    views,
    normalize,
    scale,
    bias,
    factor,
    reduction,
  };
  const args: ContrastiveArgs = {
    ...base,
    memoryBudget: MEMORY_BUDGET,
    inputs: given.map(({ name }) => name),
    outputs: ['loss', ...names(plan.fused)],
  };
  // Another upstream gradient than 1 multiplies what was written in the forward pass; not in float16, where that may have
  // underflowed or overflowed.
  const again = plan.recording && (reduction === 'none' || left.dtype === 'float16');
  const all = given.map(({ tensor }) => tensor);
  const later: ContrastiveArgs = {
    ...args,
    inputs: [...args.inputs, 'gradOutput'],
    outputs: names(plan.needs),
  };
  const likes = likesOf(differentiable, plan.needs);
  return recordFused({
    op: kernel.name,
    inputs: differentiable,
    plan,
    operands: again ? all : [],
    outputs: run(kernel, args, all, [out ?? like, ...likesOf(differentiable, plan.fused)]),
    backward: (saved, gradOutput, fused) =>
      again
        ? run(kernel, later, [...saved, gradOutput], likes)
        : fused.map((grad) => mul(grad, gradOutput)),
  });
}
