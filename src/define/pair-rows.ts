// Calls an op that compares rows of tensors, with its reduction and gradients. Arguments are already checked.
import { run } from '../core/dispatcher.ts';
import { expandTo } from '../kernels/pointwise/expand.ts';
import { pairRows, type PairRowsArgs, type PairRowsOp } from '../kernels/pair-rows/plan.ts';
import type { ParamValues } from '../shader/params.ts';
import { rowLayout, type RowLayout, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut } from '../core/validate.ts';
import { planGradients, recordFused } from './fused-gradient.ts';
import type { Reduction } from './reduction.ts';

/** What a call is for the kernel, its tensors and `out` aside. */
export interface ComparedRows {
  readonly params: ParamValues;
  /** The shape that the operands broadcast to. */
  readonly shape: Shape;
  /** The dimension along which rows run. Each row has one result. */
  readonly dim: number;
  /** The shape of the results of all rows. */
  readonly rowShape: Shape;
  readonly reduction: Reduction;
}

/** An op of rows of tensors that broadcast to each other: what its function and its plan (`plan/compared-rows.ts`) are made of. */
export interface PairRowsDeclaration<O extends object = object, N extends string = string> {
  readonly op: PairRowsOp;
  readonly kind: 'distance' | 'loss';
  /** The tensors whose rows are compared, in the kernel's order; all have gradients. */
  readonly inputs: readonly [N, ...N[]];
  /** A tensor with a label for each row. */
  readonly label?: N;
  /** What a call is. Throws for what it refuses but for the tensors' dtypes and devices. `others` are names of options that are not numbers. */
  readonly compared: (
    options: O,
    others: readonly string[],
    tensors: Readonly<Record<N, { readonly shape: Shape }>>,
  ) => ComparedRows;
}

/** A declaration as it is, with its types. */
export function declarePairRows<O extends object, const N extends string>(
  declaration: PairRowsDeclaration<O, N>,
): PairRowsDeclaration<O, N> {
  return declaration;
}

export interface PairRowsCall extends ComparedRows {
  readonly op: PairRowsOp;
  readonly operands: readonly [Tensor, Tensor, ...Tensor[]];
  readonly labels?: Tensor;
  readonly out?: Tensor | undefined;
}

/** What a call of a loss of pairs of rows is for the kernel. */
export interface PairLossCall {
  readonly params: ParamValues;
  readonly reduction: Reduction;
  /** What the kernel does for it. */
  readonly reduces: Reduction;
  readonly layout: RowLayout;
  /** The shape of the result. */
  readonly shape: Shape;
}

/** The kernel's arguments, in the forward direction or with a gradOutput, for the gradients of the operands that are wanted. */
export function pairArgs(
  op: PairRowsOp,
  { params, reduces, layout }: Pick<PairLossCall, 'params' | 'reduces' | 'layout'>,
): (gradOutput: boolean, grads: readonly boolean[]) => PairRowsArgs {
  return (gradOutput, grads) => ({
    ...{ op, params, layout, reduction: reduces, gradOutput },
    outputs: { result: !gradOutput, grads: op.operands.map((_, i) => grads[i] ?? false) },
  });
}

/** Carries out a call whose tensors and options are valid; `out` is checked here. */
export function comparePairs(call: PairRowsCall): Tensor {
  const { op, params, operands, labels, shape, dim, rowShape, reduction, out } = call;
  const [{ device, dtype }] = operands;
  const plan = planGradients(operands, reduction);
  const like = { device, dtype, shape: reduction === 'none' ? rowShape : [] };
  checkOut(op.name, out, like, plan.recording);

  const rows = operands.map((operand) => expandTo(op.name, operand, shape));
  const marks = labels && expandTo(op.name, labels, rowShape);
  const tensors = marks ? [...rows, marks] : rows;
  const layout = rowLayout(shape, dim);
  const args = pairArgs(op, { params, reduces: reduction, layout });
  const likes = (wanted: readonly boolean[]): { shape: Shape; dtype: typeof dtype }[] =>
    wanted.flatMap((want) => (want ? [{ shape, dtype }] : []));
  const result = recordFused({
    op: op.name,
    inputs: rows,
    plan,
    operands: tensors,
    outputs: run(pairRows, args(false, plan.fused), tensors, [out ?? like, ...likes(plan.fused)]),
    backward: (saved, gradOutput) =>
      run(pairRows, args(true, plan.needs), [...saved, gradOutput], likes(plan.needs)),
  });
  rows.forEach((row, i) => {
    if (row !== operands[i]) row.dispose();
  });
  if (marks && marks !== labels) marks.dispose();
  return result;
}
