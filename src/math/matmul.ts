// Products of matrices; batches broadcast as in PyTorch; with gradients.
import { isRecording, record } from '../core/autograd.ts';
import { runOne } from '../core/dispatcher.ts';
import type { DType } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import type { MatmulArgs } from '../kernels/matmul/args.ts';
import { matmulKernel } from '../kernels/matmul/plan.ts';
import { sumTo, view } from '../kernels/reduce/sum-to.ts';
import {
  broadcastShapes,
  broadcastStrides,
  collapse,
  formatShape,
  sameShape,
  type Shape,
} from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';

/** Options of functions that can write into a tensor that is there. */
export interface OutOption {
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

/** How the last two dimensions of an operand are read. */
type Orientation = 'plain' | 'transposed';

interface Operand {
  readonly tensor: Tensor;
  readonly orientation: Orientation;
}

/** Strides of an operand's matrices as rows and columns, and its shape seen that way. */
function matrixOf({ tensor: { shape }, orientation }: Operand): {
  rows: number;
  columns: number;
  strides: [number, number];
} {
  const [rows = 1, columns = 1] = shape.slice(-2);
  return orientation === 'plain'
    ? { rows, columns, strides: [columns, 1] }
    : { rows: columns, columns: rows, strides: [1, columns] };
}

/** @internal The shape of a product of matrices, and the kernel's arguments for it. */
export function productOf(op: string, a: Operand, b: Operand): { shape: Shape; args: MatmulArgs } {
  const [left, right] = [matrixOf(a), matrixOf(b)];
  if (left.columns !== right.rows) {
    throw new ShapeError({
      op,
      argument: 'b',
      expected: `${left.columns} rows, as a has columns`,
      received: `shapes ${formatShape(a.tensor.shape)} and ${formatShape(b.tensor.shape)}`,
    });
  }
  const [aBatch, bBatch] = [a.tensor.shape.slice(0, -2), b.tensor.shape.slice(0, -2)];
  const batch = broadcastShapes(op, [aBatch, bBatch], 'b');
  // Strides count matrices; the kernel counts elements.
  const layout = collapse(batch, [
    broadcastStrides(aBatch, batch),
    broadcastStrides(bBatch, batch),
  ]);
  if (layout.shape.length > 4) {
    throw new ShapeError({
      op,
      argument: 'b',
      expected: 'batch dimensions that merge into at most 4',
      received: `${formatShape(aBatch)} and ${formatShape(bBatch)}`,
    });
  }
  const [aStrides = [], bStrides = []] = layout.strides;
  return {
    shape: [...batch, left.rows, right.columns],
    args: {
      m: left.rows,
      n: right.columns,
      k: left.columns,
      a: left.strides,
      b: right.strides,
      batch: layout.shape,
      aBatch: aStrides.map((s) => s * left.rows * left.columns),
      bBatch: bStrides.map((s) => s * right.rows * right.columns),
    },
  };
}

/** @internal A product of matrices, either of them transposed, in a given dtype. */
export function product(
  a: Tensor,
  b: Tensor,
  ao: Orientation,
  bo: Orientation,
  dtype: DType,
  out?: Tensor,
): Tensor {
  const { shape, args } = productOf(
    'matmul',
    { tensor: a, orientation: ao },
    { tensor: b, orientation: bo },
  );
  return runOne(matmulKernel, args, [a, b], out ?? { shape, dtype });
}

/** A product summed over the batches an operand was broadcast along. */
function gradProduct(a: Tensor, b: Tensor, ao: Orientation, bo: Orientation, like: Tensor): Tensor {
  const { shape } = productOf(
    'matmul',
    { tensor: a, orientation: ao },
    { tensor: b, orientation: bo },
  );
  const wide = product(a, b, ao, bo, sameShape(shape, like.shape) ? like.dtype : 'float32');
  const grad = sumTo(wide, like.shape, like.dtype);
  wide.dispose();
  return grad;
}

/**
 * Matrix product of a [..., m, k] and b [..., k, n], batches broadcast; a vector stands for one row (a) or column (b),
 * as in PyTorch. Gradients for both.
 *
 * @example matmul(a, b)
 */
export function matmul(a: Tensor, b: Tensor, options: OutOption = {}): Tensor {
  checkOptionNames('matmul', options, ['out']);
  const device = checkTensors('matmul', { a, b });
  for (const [argument, { rank }] of Object.entries({ a, b })) {
    if (rank === 0)
      throw new ShapeError({
        op: 'matmul',
        argument,
        expected: 'a vector or matrices',
        received: 'a scalar',
      });
  }
  const [left, right] = [
    view(a, a.rank === 1 ? [1, a.size] : a.shape),
    view(b, b.rank === 1 ? [b.size, 1] : b.shape),
  ];
  const { shape } = productOf(
    'matmul',
    { tensor: left, orientation: 'plain' },
    { tensor: right, orientation: 'plain' },
  );
  const result = shape.filter(
    (_, d) =>
      !(a.rank === 1 && d === shape.length - 2) && !(b.rank === 1 && d === shape.length - 1),
  );
  checkOut('matmul', options.out, { device, dtype: a.dtype, shape: result }, isRecording([a, b]));
  const target = options.out && view(options.out, shape);
  const output = product(left, right, 'plain', 'plain', a.dtype, target);
  const shaped = options.out ?? view(output, result);
  if (!options.out) output.dispose();
  target?.dispose();
  const recorded = record(shaped, 'matmul', [a, b], [left, right], (upstream, [x, y], needs) => {
    if (!x || !y) return [];
    const grad = view(upstream.tensor, shape);
    const grads = [
      needs[0] ? gradProduct(grad, y, 'plain', 'transposed', x) : null,
      needs[1] ? gradProduct(x, grad, 'transposed', 'plain', y) : null,
    ];
    grad.dispose();
    return grads.map((g, i) => {
      const reshaped = g && view(g, i === 0 ? a.shape : b.shape);
      g?.dispose();
      return reshaped;
    });
  });
  left.dispose();
  right.dispose();
  return recorded;
}
