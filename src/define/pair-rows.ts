// In: an op that compares rows of tensors, and a checked call of it. Out: the result with its reduction, and gradients, which
// a reduced result writes in the same pass.
import { isRecording, record } from '../core/autograd.ts';
import { run } from '../core/dispatcher.ts';
import { expandTo } from '../kernels/pointwise/expand.ts';
import { pairRows, type PairRowsArgs, type PairRowsOp } from '../kernels/pair-rows/plan.ts';
import type { ParamValues } from '../shader/params.ts';
import { rowLayout, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut } from '../core/validate.ts';
import type { Reduction } from './loss.ts';

export interface PairRowsCall {
  readonly op: PairRowsOp;
  readonly params: ParamValues;
  readonly operands: readonly [Tensor, Tensor, ...Tensor[]];
  readonly labels?: Tensor;
  /** What the operands broadcast to. */
  readonly shape: Shape;
  /** The dimension along which rows are; one result for each. */
  readonly dim: number;
  /** The shape of the results of all rows. */
  readonly rowShape: Shape;
  readonly reduction: Reduction;
  readonly out?: Tensor | undefined;
}

/** Carries out a call whose tensors and options are valid; `out` is checked here. */
export function comparePairs(call: PairRowsCall): Tensor {
  const { op, params, operands, labels, shape, dim, rowShape, reduction, out } = call;
  const [{ device, dtype }] = operands;
  const recording = isRecording(operands);
  const ahead = reduction !== 'none';
  const like = { device, dtype, shape: ahead ? [] : rowShape };
  checkOut(op.name, out, like, recording);

  const rows = operands.map((operand) => expandTo(op.name, operand, shape));
  const marks = labels && expandTo(op.name, labels, rowShape);
  const tensors = marks ? [...rows, marks] : rows;
  // Where the upstream gradient is likely 1, gradients are written in this pass.
  const fused = rows.map((row) => ahead && recording && row.requiresGrad);
  const args = { op, params, layout: rowLayout(shape, dim), reduction };
  const grads = (wanted: readonly boolean[]): { shape: Shape; dtype: typeof dtype }[] =>
    wanted.flatMap((want) => (want ? [{ shape, dtype }] : []));
  const forward: PairRowsArgs = {
    ...args,
    gradOutput: false,
    outputs: { result: true, grads: fused },
  };
  const [output, ...written] = run(pairRows, forward, tensors, [out ?? like, ...grads(fused)]);
  const recorded = record(
    output,
    op.name,
    rows,
    [...tensors, ...written],
    (upstream, saved, needs) => {
      const inputs = saved.slice(0, tensors.length);
      if (ahead && upstream.isOne) {
        return spread(
          needs,
          saved.slice(tensors.length).map((grad) => grad.detach()),
        );
      }
      const backward: PairRowsArgs = {
        ...args,
        gradOutput: true,
        outputs: { result: false, grads: needs },
      };
      return spread(needs, run(pairRows, backward, [...inputs, upstream.tensor], grads(needs)));
    },
  );
  for (const grad of written) grad.dispose();
  rows.forEach((row, i) => {
    if (row !== operands[i]) row.dispose();
  });
  if (marks && marks !== labels) marks.dispose();
  return recorded;
}

/** Gradients in the places of the inputs that need them. */
function spread(needs: readonly boolean[], grads: readonly Tensor[]): (Tensor | null)[] {
  let k = 0;
  return needs.map((need) => (need ? (grads[k++] ?? null) : null));
}
